import { randomInt } from 'node:crypto';
import { type Clock, SelvedgeError } from '@selvedge/kit';
import type { HostPort } from '@selvedge/kit/net';
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type TokenCreated,
  type TokenInfo,
  type TokenList,
  type TokensDeleted,
  createToken,
  deleteTokens,
  listTokens,
  parseTokenId,
} from '../../token/index.ts';
import { isNodeName } from '../../node-name.ts';
import { type Cluster, openCluster } from '../cluster.ts';
import { type ClusterFlags, withCluster } from '../flags/cluster.ts';
import { moreWords, parsedBy, duration, withChanges, withJson } from '../flags/common.ts';
import { hostPorts } from '../flags/host-ports.ts';
import type { CommonFlags, Program } from '../program.ts';
import { durationText, table } from '../text/index.ts';

interface CreateFlags extends CommonFlags, ClusterFlags {
  readonly ttl: number;
  readonly description?: string;
  readonly node?: readonly string[];
  readonly unit?: string;
  readonly server?: string;
  readonly tunnelServer?: readonly HostPort[];
}

const usualTtlMs = 2 * 3_600_000;
/** A token that is good for longer is good for whoever finds it. */
const maxTtlMs = 30 * 24 * 3_600_000;
const minTtlMs = 60_000;

function ttl(text: string): number {
  const ms = duration(text);
  if (ms >= minTtlMs && ms <= maxTtlMs) return ms;
  throw new InvalidArgumentError('must be between 1m and 30d');
}

function nodeNames(text: string, before?: readonly string[]): readonly string[] {
  const names = moreWords(text, before);
  const wrong = names.find((name) => !isNodeName(name));
  if (wrong === undefined) return names;
  throw new InvalidArgumentError(`${JSON.stringify(wrong)} is not a valid node name`);
}

const serverUrl = parsedBy((text: string): string => {
  const url = URL.parse(text);
  if (url?.protocol === 'https:' && url.pathname === '/') return url.origin;
  throw new SelvedgeError(`${JSON.stringify(text)} is not the URL of an API server`, {
    code: 'Invalid',
    hint: 'use https://host:port',
  });
});

/** Each argument with what belongs to it on a line of its own, so that it is copied as one. */
function commandLines(join: readonly string[]): string {
  const lines: string[] = [];
  for (const word of join) {
    if (lines.length === 0 || word.startsWith('--')) lines.push(word);
    else lines[lines.length - 1] = `${lines.at(-1) ?? ''} ${word}`;
  }
  return lines.join(' \\\n      ');
}

function describeCreated({ join, token, expiresAt, nodes, unit }: TokenCreated): string {
  const forWhom = nodes.length === 0 ? 'any new node' : `node ${nodes.join(', ')} only`;
  const member = unit === undefined ? '' : `, which becomes a member of unit ${unit}`;
  return [
    `Valid until ${expiresAt}, for ${forWhom}${member}. It is not shown again. On the machine, as root:`,
    '',
    // Of bash and zsh. With sudo before it, too: the token is in no argument.
    `    ${commandLines(join)} <<< ${token}`,
  ].join('\n');
}

function row(
  { id, description, expiresAt, isExpired, nodes, unit }: TokenInfo,
  nowMs: number,
): readonly string[] {
  const left = expiresAt === undefined ? 'never' : durationText(Date.parse(expiresAt) - nowMs);
  return [
    id,
    isExpired ? 'expired' : left,
    nodes.length === 0 ? 'any' : nodes.join(','),
    unit ?? '-',
    description ?? '',
  ];
}

const describeList =
  (clock: Pick<Clock, 'now'>) =>
  ({ tokens }: TokenList, columns: number | undefined): string => {
    if (tokens.length === 0) return 'No bootstrap tokens.';
    const rows = tokens.map((token) => row(token, clock.now()));
    return table(['ID', 'EXPIRES', 'NODES', 'UNIT', 'DESCRIPTION'], rows, { columns });
  };

const describeDeleted = ({ deleted }: TokensDeleted): string =>
  deleted.length === 0 ? 'Nothing was deleted.' : `Deleted: ${deleted.join(', ')}`;

function addCreate(token: Command, program: Program): void {
  const { host } = program;
  withChanges(withCluster(token.command('create')))
    .description('create a bootstrap token and print the join command for a machine')
    .addOption(
      new Option('--ttl <duration>', 'how long it is valid: 30m, 2h, 7d')
        .argParser(ttl)
        .default(usualTtlMs, '2h'),
    )
    .option('--node <name>', 'bind it to this node name; repeatable', nodeNames)
    .option('--unit <name>', 'add the nodes to this unit; needs --node')
    .option('--server <url>', 'where machines reach the API server; default: as in cluster-info', serverUrl)
    .option(
      '--tunnel-server <host:port>',
      'where machines reach cloud-manager; default: as in the conversion',
      hostPorts,
    )
    .option('--description <text>', 'free text, shown by `selvedge token list`')
    .action((flags: CreateFlags) =>
      program.perform({ kind: 'TokenCreated', describe: describeCreated }, flags, async (run) => {
        await using cluster = await openCluster(flags, host);
        const {
          ttl: ttlMs,
          node: nodes = [],
          unit,
          server,
          description,
          tunnelServer: tunnelServers,
        } = flags;
        const options = { ttlMs, nodes, unit, server, description, tunnelServers };
        return await createToken(options, { ...run, ...depsOf(cluster), access: await accessOf(cluster) });
      }),
    );
}

const depsOf = ({
  client,
  connect,
}: Cluster): Pick<Parameters<typeof createToken>[1], 'cluster' | 'connect' | 'randomInt'> => ({
  cluster: client,
  connect,
  randomInt: (below) => randomInt(below),
});

async function accessOf({
  server,
  certificateAuthority,
}: Cluster): Promise<Parameters<typeof createToken>[1]['access']> {
  return { server, certificateAuthority: await certificateAuthority() };
}

export function addToken(root: Command, program: Program): void {
  const { host } = program;
  const token = root.command('token').description('manage the bootstrap tokens that machines join with');
  addCreate(token, program);
  withJson(withCluster(token.command('list')))
    .description('list bootstrap tokens, without their secrets')
    .action((flags: CommonFlags & ClusterFlags) => {
      const frame = { kind: 'TokenList', describe: describeList(host.clock) };
      return program.perform(frame, flags, async (run) => {
        await using cluster = await openCluster(flags, host);
        return await listTokens({ ...run, cluster: cluster.client });
      });
    });
  withChanges(withCluster(token.command('delete')))
    .description('delete bootstrap tokens; nodes that joined with them stay')
    .argument(
      '<id...>',
      'token ids, as shown by `selvedge token list`',
      (text: string, before?: readonly string[]) => [...(before ?? []), parsedBy(parseTokenId)(text)],
    )
    .action((ids: readonly string[], flags: CommonFlags & ClusterFlags) =>
      program.perform({ kind: 'TokensDeleted', describe: describeDeleted }, flags, async (run) => {
        await using cluster = await openCluster(flags, host);
        return await deleteTokens(ids, { ...run, cluster: cluster.client });
      }),
    );
}
