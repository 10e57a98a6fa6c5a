import { expect, it } from 'vitest';
import { joinCommandOf } from './join-command.ts';

const server = 'https://203.0.113.9:6443';
const made = { token: 'abcdef.0123456789abcdef', server, caHash: 'sha256:0', nodes: [], tunnelServers: [] };

it('reads the token from stdin: it is in no argument', () => {
  const needed = ['selvedge', 'join', '--server', server, '--ca-hash', 'sha256:0'];
  const given = ['--token-file', '-', '--yes'];
  expect(joinCommandOf(made)).toEqual([...needed, ...given]);
  const more = { ...made, nodes: ['till-5'], unit: 'shop', tunnelServers: ['a:443', 'b:443'] };
  const known = ['--node-name', 'till-5', '--unit', 'shop', '--tunnel-server', 'a:443,b:443'];
  expect(joinCommandOf(more)).toEqual([...needed, ...known, ...given]);
});
