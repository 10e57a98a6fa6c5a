import { readFile } from 'node:fs/promises';
import { SelvedgeError } from '@selvedge/kit';
import type { HostPort } from '@selvedge/kit/net';
import { type JsonObject, isObject } from '@selvedge/kube';
import { type Command, Option } from 'commander';
import { parse } from 'yaml';
import {
  type ConvertOptions,
  type ConvertResult,
  convert,
  convertDefaults,
  describeConvert,
} from '../../convert/index.ts';
import { defaultPorts } from '../../places.ts';
import { openCluster } from '../cluster.ts';
import { type ExitCode, exitCodes } from '../errors/index.ts';
import { type ArtifactsFlags, openRelease, withArtifacts } from '../flags/artifacts.ts';
import { type ClusterFlags, withCluster } from '../flags/cluster.ts';
import { duration, withChanges, wholeNumber } from '../flags/common.ts';
import { type MachineFlags, withMachines } from '../flags/machines.ts';
import { hostPorts } from '../flags/host-ports.ts';
import { withNodes } from '../flags/nodes.ts';
import { type WaveFlags, waveOptionsOf, withWaves } from '../flags/waves.ts';
import { createHosts } from '../machines/index.ts';
import type { CommandRun, CommonFlags, Program } from '../program.ts';

interface ConvertFlags extends CommonFlags, ClusterFlags, WaveFlags, MachineFlags, ArtifactsFlags {
  readonly tunnelServer: readonly HostPort[];
  readonly manager: 'auto' | 'deployment' | 'unit';
  readonly dns: boolean;
  readonly values?: string;
  readonly hubPort?: number;
}

const exits: Readonly<Record<ConvertResult['outcome'], ExitCode>> = {
  done: exitCodes.done,
  unchanged: exitCodes.done,
  declined: exitCodes.failed,
  partly: exitCodes.partly,
  failed: exitCodes.failed,
};

/** As helm takes them. Throws `Invalid`. */
async function valuesIn(file: string | undefined): Promise<JsonObject> {
  if (file === undefined) return {};
  try {
    const values: unknown = parse(await readFile(file, 'utf8'));
    if (isObject(values)) return values;
  } catch (cause) {
    throw new SelvedgeError(`cannot read ${file} as YAML`, { code: 'Invalid', cause });
  }
  throw new SelvedgeError(`${file} contains no chart values`, { code: 'Invalid' });
}

async function optionsOf(flags: ConvertFlags): Promise<ConvertOptions> {
  const { tunnelServer: tunnelServers, manager: mode, dns, hubPort } = flags;
  return {
    ...waveOptionsOf(flags),
    cloud: { tunnelServers, mode, dns, values: await valuesIn(flags.values) },
    hubPort,
  };
}

async function convertCluster(
  flags: ConvertFlags,
  { host }: Program,
  run: CommandRun,
): Promise<ConvertResult> {
  await using cluster = await openCluster(flags, host);
  const [options, artifacts] = [await optionsOf(flags), await openRelease(flags, host)];
  const hosts = await createHosts(flags, { ...run, host, cluster });
  return await convert(options, { ...run, cluster: cluster.client, hosts, artifacts });
}

export function addConvert(root: Command, program: Program): void {
  const command = withChanges(withCluster(root.command('convert')))
    .description('convert nodes to edge nodes, and set up the cloud side; no container restarts')
    .requiredOption(
      '--tunnel-server <host:port>',
      'where nodes reach cloud-manager; comma-separated',
      hostPorts,
    )
    .addOption(
      new Option(
        '--manager <how>',
        'run cloud-manager as pods in the cluster (deployment), or as a systemd unit next to each API server (unit)',
      )
        .choices(['auto', 'deployment', 'unit'])
        .default('auto'),
    )
    .option('--values <file>', 'values for the chart charts/selvedge, merged over its defaults')
    .option('--no-dns', 'do not touch the cluster DNS')
    .option(
      '--hub-port <port>',
      `port of the hub on nodes; default: ${defaultPorts.hub}`,
      wholeNumber(1, 65_535),
    )
    .addOption(
      new Option(
        '--timeout <duration>',
        'per node, after its upload; a node that takes longer is rolled back',
      )
        .argParser(duration)
        .default(convertDefaults.timeoutMs, '5m'),
    );
  const frame = {
    kind: 'ConvertResult',
    describe: describeConvert,
    exitCodeOf: ({ outcome }: ConvertResult): ExitCode => exits[outcome],
    afterStop: 'resume with the same command, or undo what was begun with `selvedge revert`',
  };
  withMachines(
    withArtifacts(
      withWaves(withNodes(command, 'none; required unless --selector is used'), convertDefaults.onFailure),
    ),
  ).action((flags: ConvertFlags) =>
    program.perform(frame, flags, (run) => convertCluster(flags, program, run)),
  );
}
