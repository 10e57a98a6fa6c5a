import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Cluster } from '@selvedge/bed/clusters';
import { provideArtifacts } from '@selvedge/hack/release';
import { processSetup } from '@selvedge/hack/setup';
import type { ConvertResult, RevertResult } from '@selvedge/installer';

const main = join(import.meta.dirname, '../../../packages/installer/src/main.ts');

/** How a run of the program ended. */
export interface Run {
  /** null: a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Written to stdin. Default: nothing. */
  readonly input?: string;
  /** Is given what ends the program with SIGKILL. */
  readonly onStart?: (kill: () => void) => void;
}

/** `selvedge`, run by a person in the network of the cluster's site. */
export interface InstallerProgram {
  run(args: readonly string[], options?: RunOptions): Promise<Run>;
  /** With `--json`; its result, or an error with what it said if it does not end with 0. */
  convert(...args: readonly string[]): Promise<ConvertResult>;
  revert(...args: readonly string[]): Promise<RevertResult>;
  /** Any other command with `--json`, the same way. */
  result(args: readonly string[], options?: RunOptions): Promise<unknown>;
  /** The flags by which any machine is reached. */
  readonly sshFlags: readonly string[];
  /** Those by which the cluster and its nodes are. */
  readonly machineFlags: readonly string[];
  /** Where the release is. */
  readonly artifactsFlag: string;
  /** Those of `convert`. */
  readonly convertFlags: readonly string[];
}

function resultOf({ exitCode, stdout, stderr }: Run): unknown {
  if (exitCode === 0) return JSON.parse(stdout);
  throw new Error(`selvedge ended with ${exitCode}: ${stderr.slice(-4_000)}${stdout.slice(-4_000)}`);
}

/** How a person gets to the machines. */
const waysOf = ({ operator }: Cluster) => ({
  ssh: [
    '--transport=ssh',
    `--ssh-user=${operator.user}`,
    `--ssh-key=${operator.keyFile}`,
    `--known-hosts=${operator.knownHostsFile}`,
  ],
  job: ['--transport=job'],
});

export async function installerProgram(
  cluster: Cluster,
  transport: 'ssh' | 'job' = 'ssh',
): Promise<InstallerProgram> {
  const { kubeconfig, server } = cluster;
  const artifacts = await provideArtifacts(processSetup());
  const { hostname } = new URL(server);
  const ways = waysOf(cluster);
  const machineFlags = [`--kubeconfig=${kubeconfig}`, ...ways[transport]];
  const artifactsFlag = `--artifacts=${artifacts}`;
  const convertFlags = [...machineFlags, artifactsFlag, `--tunnel-server=${hostname}:443`];
  const run: InstallerProgram['run'] = async (args, { input = '', onStart } = {}) => {
    const [program, ...rest] = cluster.atSite([process.execPath, main, ...args]);
    const child = spawn(program, rest, { stdio: 'pipe' });
    child.stdin.on('error', () => undefined).end(input);
    onStart?.(() => child.kill('SIGKILL'));
    const [stdout, stderr, [exitCode]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    return { stdout, stderr, exitCode: exitCode as number | null };
  };
  const result: InstallerProgram['result'] = async (args, options) =>
    resultOf(await run([...args, '--json'], options));
  return {
    run,
    result,
    sshFlags: ways.ssh,
    machineFlags,
    artifactsFlag,
    convertFlags,
    convert: async (...args) =>
      (await result(['convert', ...convertFlags, '--yes', ...args])) as ConvertResult,
    revert: async (...args) => (await result(['revert', ...machineFlags, '--yes', ...args])) as RevertResult,
  };
}
