import type { HostPort } from '@selvedge/kit/net';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type JoinResult, describeJoin, join, joinDefaults } from '../../join/index.ts';
import { connectTo } from '../cluster.ts';
import { type ArtifactsFlags, openPackages, openRelease, withArtifacts } from '../flags/artifacts.ts';
import { duration, withChanges, words } from '../flags/common.ts';
import { withBareMachine } from '../flags/machines.ts';
import { hostPorts } from '../flags/host-ports.ts';
import type { CliHost } from '../host.ts';
import { readSecret } from '../machines/secrets.ts';
import type { CommandRun, CommonFlags, Program } from '../program.ts';
import { type BareFlags, bareMachine } from './machine.ts';

interface JoinFlags extends CommonFlags, BareFlags, ArtifactsFlags {
  readonly server: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly caHash: string;
  readonly nodeName?: string;
  readonly unit?: string;
  readonly tunnelServer?: readonly HostPort[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly clusterDns?: readonly string[];
  readonly clusterDomain?: string;
  readonly network?: 'bridge' | 'none';
  readonly containerdPackage?: string;
  readonly timeout: number;
}

function labels(text: string): Readonly<Record<string, string>> {
  const pairs = words(text).map((word) => word.split('='));
  if (pairs.some((pair) => pair.length !== 2)) throw new InvalidArgumentError('use key=value,key=value');
  return Object.fromEntries(pairs.map(([key = '', value = '']) => [key, value]));
}

const defined = <T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };

async function tokenOf(
  { token, tokenFile: file }: JoinFlags,
  { stdin }: CliHost,
  { prompts }: CommandRun,
): Promise<string> {
  if (token !== undefined) return token;
  return readSecret({ what: 'the bootstrap token', file, flag: '--token-file', stdin }, prompts);
}

async function joinMachine(flags: JoinFlags, host: CliHost, run: CommandRun): Promise<JoinResult> {
  const { machine, hosts } = await bareMachine(flags, { host, prompts: run.prompts });
  const { server, caHash, nodeName, unit, network, clusterDomain, containerdPackage } = flags;
  const options = {
    server,
    caHash,
    machine,
    token: await tokenOf(flags, host, run),
    timeoutMs: flags.timeout,
    ...defined({ nodeName, unit, network, clusterDomain, containerdPackage, labels: flags.labels }),
    ...defined({ tunnelServers: flags.tunnelServer, clusterDNS: flags.clusterDns }),
  };
  const artifacts = await openRelease(flags, host);
  return join(options, {
    ...run,
    hosts,
    artifacts: { edgeLite: (arch) => artifacts.edgeLite(arch), packages: openPackages(flags, host) },
    connect: (to, credentials) => connectTo({ server: to, credentials }, host),
  });
}

export function addJoin(root: Command, program: Program): void {
  const command = withChanges(root.command('join'))
    .description(
      'join this machine, or the one given with --machine, as a lite node; `selvedge token create` prints the command',
    )
    .requiredOption('--server <url>', 'URL of an API server: https://host:port')
    .option(
      '--token <token>',
      'a bootstrap token; visible in the process list and in sudo logs, so prefer --token-file',
    )
    .option('--token-file <file>', 'read the token from this file; - is stdin. Default: prompt for it')
    .requiredOption('--ca-hash <hash>', "SHA-256 of the public key of the cluster's CA: sha256:HEX")
    .option('--node-name <name>', 'name of the Node; default: the host name')
    .option('--unit <name>', 'wait until the node is a member of this unit')
    .option(
      '--tunnel-server <host:port>',
      'where to reach cloud-manager; comma-separated. Default: no tunnel',
      hostPorts,
    )
    .option('--labels <k=v>', 'labels of the Node; comma-separated', labels)
    .option(
      '--cluster-dns <address>',
      "addresses of the cluster DNS, comma-separated. Default: as in the cluster's kubelet configuration",
      words,
    )
    .option(
      '--cluster-domain <domain>',
      "DNS domain of the cluster; default: as in the cluster's kubelet configuration",
    )
    .addOption(
      new Option(
        '--network <who>',
        'bridge: edge-lite writes a CNI configuration; none: it does not. Default: bridge, unless the machine has a CNI configuration',
      ).choices(['bridge', 'none']),
    )
    .option(
      '--containerd-package <name>',
      `package to install if there is no containerd; default: ${joinDefaults.containerdPackage}`,
    )
    .addOption(
      new Option('--timeout <duration>', 'how long to wait for the node to be Ready')
        .argParser(duration)
        .default(joinDefaults.timeoutMs, '3m'),
    );
  withBareMachine(withArtifacts(command)).action((flags: JoinFlags) =>
    program.perform(
      {
        kind: 'JoinResult',
        describe: describeJoin,
        afterStop: 'resume with the same command, or undo with `selvedge reset`',
      },
      flags,
      (run) => joinMachine(flags, program.host, run),
    ),
  );
}
