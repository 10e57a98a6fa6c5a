import { SelvedgeError } from '@selvedge/kit';
import { type HostFiles, readIfThere } from '../files/index.ts';
import type { Host } from '../host/index.ts';
import type { BegunRun, RunState } from '../journal/index.ts';
import { places } from '../places.ts';
import { type Step, hashOf } from '../steps/index.ts';

/** What runs leave on machines, by which they are known where no journal is. */
export interface Traces {
  /** Texts that files of Kubernetes have only because of a run. */
  readonly texts: readonly string[];
  /** What the names of runs look like to find(1): kept files bear them. */
  readonly runs: string;
}

/** As `newRun` calls them. */
const anyRun = '[0-9a-f]'.repeat(8);

/** Of conversions. */
export const nodeTraces: Traces = { texts: [places.hubCa, places.kubeletKubeconfig], runs: anyRun };

/** Of joins: the unit names it. */
export const joinTraces: Traces = { texts: [places.config], runs: anyRun };

export interface Untold {
  readonly host: Host;
  readonly files: Pick<HostFiles, 'look' | 'read'>;
  /** What the journal tells. */
  readonly state: RunState;
  readonly traces: Traces;
}

/** In the first all is looked at, however deep; in the others only what is in them: volumes of pods are below. */
const folders = ['/etc', '/var/lib/kubelet', '/var/lib/kube-proxy', '/usr/local/bin'] as const;

/** Not ours alone: what is in them leads nobody anywhere. */
const besides = [places.configFolder, '/etc/kubernetes/tmp'] as const;

/** `$1`, `$2`: what is left out, `$3`: what runs are called, `$4`: texts, one a line. Then the folders. */
const script = `
one=$1 other=$2 runs=$3 texts=$4 depth=99
shift 4
for folder; do
  if [ -d "$folder" ]; then
    set -- "$folder" -xdev -maxdepth $depth -path "$one" -prune -o -path "$other" -prune -o -type f
    find "$@" -name ".*.selvedge-$runs" -print | sed 's/^/kept /'
    [ -z "$texts" ] || find "$@" -size -1024k -exec grep -lsF -e "$texts" -- {} + | sed 's/^/led /'
  fi
  depth=1
done 2> /dev/null
exit 0`;

/** What a run left where there is no journal of one. */
async function withoutJournal({ host, traces }: Untold, signal: AbortSignal): Promise<readonly string[]> {
  const { runs, texts } = traces;
  const argv = ['sh', '-c', script, 'sh', ...besides, runs, texts.join('\n'), ...folders] as const;
  const { stdout } = await host.run({ argv }, signal);
  const found = stdout.toString().matchAll(/^(kept|led) (.+)$/gm);
  return Array.from(found, ([, how, path]) =>
    how === 'kept'
      ? `${path} is the backup of a file from before a run`
      : `${path} points to something that a run installed`,
  );
}

async function isDone(step: Step, { files }: Untold, signal: AbortSignal): Promise<boolean> {
  if (step.kind === 'edit') {
    const text = await readIfThere(files, { path: step.path }, signal);
    return step.marks.some((mark) => text?.includes(mark));
  }
  if (step.kind !== 'file') return false;
  const state = await files.look(step.path, signal);
  return state.kind === 'file' && state.sha256 === hashOf(step.content);
}

/** Steps that the journal says were not begun, of those that lead a unit elsewhere, and that are done: its last lines are lost. */
async function beyondJournal(
  { steps }: BegunRun,
  untold: Untold,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const first = steps.findIndex(({ step }) => step.kind === 'restart');
  const found = steps.map(async ({ step, progress }, at) => {
    const counts = progress.kind === 'todo' && (step.kind === 'edit' || (first >= 0 && at > first));
    return counts && (await isDone(step, untold, signal)) && 'path' in step
      ? [`${step.path} was changed by step ${at + 1} of run`]
      : [];
  });
  return (await Promise.all(found)).flat();
}

/** What was done on a machine and is not in its journal, for people: its end is lost, or all of it. */
export function untoldOn(untold: Untold, signal: AbortSignal): Promise<readonly string[]> {
  const { state } = untold;
  return state.kind === 'none' ? withoutJournal(untold, signal) : beyondJournal(state, untold, signal);
}

/** Throws `Corrupt` if more was done on a machine than its journal tells: what that was before is not known. */
export async function refuseUntold(untold: Untold, signal: AbortSignal): Promise<void> {
  const known = await untoldOn(untold, signal);
  if (known.length === 0) return;
  throw new SelvedgeError(`the journal of ${untold.host.name} is incomplete: ${known.join('; ')}`, {
    code: 'Corrupt',
    hint: 'no changes were made; restore by hand: docs/tasks/troubleshooting.md, "The journal is damaged"',
  });
}
