import type { MachineFacts } from './machine-facts.ts';

export interface Finding {
  readonly problem: string;
  /** What to do about it. */
  readonly remedy: string;
}

const gib = 1024 ** 3;
/** Of builds, Go's own caches and images; after the first run only beds need room. */
const neededBytes = { firstRun: 10 * gib, later: 2 * gib };
const goMinor = 26;

type Check = (facts: MachineFacts) => Finding | undefined;

const root: Check = ({ uid }) =>
  uid === 0
    ? undefined
    : {
        problem: 'this is not root',
        remedy: 'run it with sudo: network namespaces, mounts and cgroups need root',
      };

const platform: Check = (facts) =>
  facts.platform === 'linux-x64'
    ? undefined
    : { problem: `this machine is ${facts.platform}`, remedy: 'use a Linux x64 machine or virtual machine' };

const node: Check = ({ nodeVersion }) =>
  nodeVersion.startsWith('24.')
    ? undefined
    : {
        problem: `this program runs on Node ${nodeVersion} instead of 24`,
        remedy: 'start it by its shim in hack/, which brings its own Node 24 and leaves yours alone',
      };

const disk: Check = ({ freeDiskBytes, firstRun }) => {
  const needed = firstRun ? neededBytes.firstRun : neededBytes.later;
  if (freeDiskBytes >= needed) return undefined;
  const free = (freeDiskBytes / gib).toFixed(1);
  return {
    problem: `only ${free} GiB of disk are free for the caches, ${needed / gib} are needed`,
    remedy: 'make room, or point XDG_CACHE_HOME, GOCACHE and GOMODCACHE at a larger disk',
  };
};

/** Programs that must be there already, whatever we install. */
const needs: readonly { readonly program: string; readonly remedy: string }[] = [
  { program: 'npm', remedy: 'apt-get install npm (any version: it only fetches the pinned pnpm)' },
  { program: 'apt-get', remedy: 'use Debian 12, Ubuntu 24.04 or newer' },
  { program: 'flock', remedy: 'apt-get install util-linux' },
];

export const neededPrograms: readonly string[] = needs.map(({ program }) => program);

const programs = needs.map(
  ({ program, remedy }): Check =>
    (facts) =>
      facts.programs.has(program) ? undefined : { problem: `${program} is not there`, remedy },
);

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 1 || (major === 1 && minor >= goMinor);
}

const go: Check = ({ goVersion, given }) => {
  if (given?.missing.length === 0) return undefined;
  if (goVersion !== undefined && isNewEnough(goVersion)) return undefined;
  const missing = given === undefined ? '' : ` (${given.folder} lacks ${given.missing.join(', ')})`;
  return {
    problem: `${goVersion === undefined ? 'Go is not there' : `Go ${goVersion} is too old`}${missing}`,
    remedy: `install Go 1.${goMinor} or newer (https://go.dev/dl), or put all binaries in a folder and set SELVEDGE_KUBE_ASSETS to it`,
  };
};

const checks: readonly Check[] = [root, platform, node, disk, ...programs, go];

/** Everything that keeps this machine from running the testbed, at once. Pure. */
export function preflight(facts: MachineFacts): readonly Finding[] {
  return checks.map((check) => check(facts)).filter((finding) => finding !== undefined);
}
