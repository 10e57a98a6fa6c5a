import { createPublicKey } from 'node:crypto';
import ssh2 from 'ssh2';
import { describe, expect, it } from 'vitest';
import { authorizedKeyOf, createOperatorKey } from './operator-key.ts';

describe('the key of an operator', () => {
  it('is the one that its public line names', () => {
    const pem = createOperatorKey();
    const parsed = ssh2.utils.parseKey(pem);
    if (parsed instanceof Error) throw parsed;
    const [type, wire] = authorizedKeyOf(createPublicKey(pem)).split(' ');
    expect(type).toBe(parsed.type);
    expect(wire).toBe(parsed.getPublicSSH().toString('base64'));
  });
});
