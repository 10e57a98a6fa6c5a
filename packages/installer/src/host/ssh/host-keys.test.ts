import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { judgeHostKey, knownKeyTypes } from './host-keys.ts';

/** The wire form of a key: its type with its length in front, then the rest. */
function key(type: string, rest: string): { readonly wire: Buffer; readonly line: string } {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  const wire = Buffer.concat([length, Buffer.from(type), Buffer.from(rest)]);
  return { wire, line: `${type} ${wire.toString('base64')}` };
}

const [ours, other] = [key('ssh-ed25519', 'ours'), key('ssh-ed25519', 'other')];
const rsa = key('ssh-rsa', 'ours');
const server = { host: 'Till-5.shop', port: 22 };

function hashed(name: string): string {
  const salt = Buffer.from('0123456789abcdef0123');
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

describe('the key of a server', () => {
  it.each([
    ['by its name', `till-5.shop ${ours.line}`],
    ['among several names', `a,till-5.shop,10.0.0.1 ${ours.line} a comment`],
    ['by a pattern', `till-?.sh* ${ours.line}`],
    ['by a hashed name', `${hashed('till-5.shop')} ${ours.line}`],
    ['after another one of the name', `till-5.shop ${other.line}\ntill-5.shop ${ours.line}`],
  ])('is known %s', (_how, text) => {
    expect(judgeHostKey(text, server, ours.wire)).toEqual({ kind: 'known' });
  });

  it.each([
    ['no line', ''],
    ['a comment', `# till-5.shop ${ours.line}`],
    ['another name', `till-50.shop ${ours.line}`],
    ['a name with a dot that is none', `till-5xshop ${ours.line}`],
    ['the name with a port', `[till-5.shop]:2222 ${ours.line}`],
    ['a pattern that excludes it', `*.shop,!till-5.shop ${ours.line}`],
    ['an authority', `@cert-authority *.shop ${ours.line}`],
    ['a line that was cut', 'till-5.shop ssh-ed25519'],
  ])('is not known by %s', (_how, text) => {
    expect(judgeHostKey(text, server, ours.wire)).toEqual({ kind: 'unknown' });
  });

  it('of another port is another server', () => {
    const at = { ...server, port: 2222 };
    expect(judgeHostKey(`[till-5.shop]:2222 ${ours.line}`, at, ours.wire)).toEqual({ kind: 'known' });
    expect(judgeHostKey(`till-5.shop ${ours.line}`, at, ours.wire)).toEqual({ kind: 'unknown' });
  });

  it('that changed is told, with the line', () => {
    const text = `# shops\ntill-5.shop ${other.line}`;
    expect(judgeHostKey(text, server, ours.wire)).toEqual({ kind: 'changed', line: 2 });
    expect(judgeHostKey(`till-5.shop ${rsa.line}`, server, ours.wire)).toEqual({ kind: 'changed', line: 1 });
  });

  it('that is revoked is not known, wherever the line stands', () => {
    const text = `till-5.shop ${ours.line}\n@revoked * ${ours.line}`;
    expect(judgeHostKey(text, server, ours.wire)).toEqual({ kind: 'revoked', line: 2 });
  });

  it('is asked for in the types that are known', () => {
    const text = `till-5.shop ${rsa.line}\ntill-5.shop ${ours.line}\n@revoked till-5.shop ${other.line}\nx ${rsa.line}`;
    expect(knownKeyTypes(text, server)).toEqual(['ssh-rsa', 'ssh-ed25519']);
  });
});
