import type { TokenCreated } from './types.ts';

type Needed = Pick<TokenCreated, 'server' | 'caHash' | 'nodes' | 'unit' | 'tunnelServers'>;

/**
 * What to run on the machine. The token is in no argument: other users see those in the list of processes, and sudo writes them to
 * its log. It is read from stdin, so nobody can be asked there.
 */
export function joinCommandOf({ server, caHash, nodes, unit, tunnelServers }: Needed): readonly string[] {
  const needed = ['selvedge', 'join', '--server', server, '--ca-hash', caHash];
  const known = [
    ...(nodes.length === 1 ? ['--node-name', ...nodes] : []),
    ...(unit === undefined ? [] : ['--unit', unit]),
    ...(tunnelServers.length === 0 ? [] : ['--tunnel-server', tunnelServers.join(',')]),
  ];
  return [...needed, ...known, '--token-file', '-', '--yes'];
}
