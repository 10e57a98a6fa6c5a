import { type Clock, type Random, SelvedgeError, scoped } from '@selvedge/kit';
import type { Progress } from '../../command/index.ts';
import { type HostFiles, createHostFiles } from '../../files/index.ts';
import type { Host, Hosts, Machine } from '../../host/index.ts';
import {
  type JournalPlace,
  type LockDeps,
  journalPlace,
  lockMachine,
  newRun,
  openJournal,
  readJournal,
  runId,
} from '../../journal/index.ts';
import { type Traces, undoRun, withSessionOn } from '../../session/index.ts';
import { type Sources, type Step, applySteps, createExecutors } from '../../steps/index.ts';
import { egressConfigFile } from '../egress/manifest.ts';
import type { MachinePhase } from '../types.ts';

export interface MachineDeps {
  readonly hosts: Hosts;
  readonly clock: Clock;
  readonly random: Random;
  readonly progress: Pick<Progress, 'note'>;
  /** Told, on the way back, what stays as somebody else made it since. Default: `progress`. */
  readonly onKept?: ((text: string) => void) | undefined;
  readonly version: string;
  readonly signal: AbortSignal;
}

const lockDeps = (host: Host, { clock, progress }: Pick<MachineDeps, 'clock' | 'progress'>): LockDeps => ({
  host,
  clock,
  onNote: (text) => progress.note(text),
});

export interface MachineRun {
  readonly machine: Machine;
  readonly phase: MachinePhase;
}

const commandOf = ({ machine, phase }: MachineRun): string => `selvedge ${phase} of ${machine.name}`;

/** Each phase has a journal of its own: one is taken back without the other. */
const placeOfPhase = (phase: MachinePhase): JournalPlace =>
  journalPlace(`/var/lib/selvedge-installer-${phase}`);

const phaseTraces: Readonly<Record<MachinePhase, Traces>> = {
  egress: { texts: [egressConfigFile], runs: 'egress-*' },
  manager: { texts: [], runs: 'manager-*' },
};

export async function withMachine<T>(
  machine: Machine,
  { hosts, signal }: Pick<MachineDeps, 'hosts' | 'signal'>,
  work: (host: Host, files: HostFiles) => Promise<T>,
): Promise<T> {
  await using host = await hosts.open(machine, signal);
  return await work(host, createHostFiles(host));
}

/** How far the run of a phase is. */
export async function runStateOf(
  phase: MachinePhase,
  files: HostFiles,
  signal: AbortSignal,
): Promise<'none' | 'begun' | 'done' | 'undone'> {
  return (await readJournal(placeOfPhase(phase).journal, files, signal)).state.kind;
}

/** Does the steps, or goes on where a run before was. `plan` is asked only for a new run. */
export async function applyOn(
  { machine, phase }: MachineRun,
  {
    plan,
    sources,
  }: { readonly plan: (files: HostFiles) => Promise<readonly Step[]>; readonly sources: Sources },
  deps: MachineDeps,
): Promise<void> {
  const { clock, random, version } = deps;
  const place = placeOfPhase(phase);
  await withMachine(machine, deps, async (host, files) => {
    const command = commandOf({ machine, phase });
    const owner = `${command}, run ${newRun(random)}`;
    await using lock = await lockMachine({ owner, place }, lockDeps(host, deps), deps.signal);
    const journal = await openJournal(place.journal, files, deps.signal);
    if (journal.state.kind === 'none' || journal.state.kind === 'undone') {
      const at = new Date(clock.now()).toISOString();
      const steps = await plan(files);
      const run = `${phase}-${at.replaceAll(/\D/g, '').slice(0, 14)}`;
      await journal.write({ kind: 'begun', run, command, version, at, steps }, deps.signal);
    }
    const run = runId(journal.state);
    const executors = createExecutors({ host, files, run, clock, sources });
    // An edit of the API server's manifest is ended, and taken back by who waits for it; anything else stops where it is.
    using scope = scoped(lock.signal, phase === 'egress' ? undefined : deps.signal);
    await applySteps({ journal, executors, onEvent: () => undefined }, scope.signal);
  });
}

type UndoDeps = Pick<MachineDeps, 'clock' | 'random' | 'progress' | 'onKept' | 'signal'>;

async function undoPhase(phase: MachinePhase, host: Host, deps: UndoDeps): Promise<void> {
  const place = placeOfPhase(phase);
  const files = createHostFiles(host);
  if ((await files.look(place.folder, deps.signal)).kind === 'absent') return;
  const { clock, progress, onKept = (text) => progress.note(text) } = deps;
  const entered = { host, place, command: 'selvedge on the way back', traces: phaseTraces[phase] };
  await withSessionOn(entered, deps, async (session, signal) => {
    await undoRun(session, { clock, onKept }, signal);
    session.forget();
  });
}

/** An address may be that of another machine by now. */
async function refuseAnother(run: MachineRun, files: HostFiles, signal: AbortSignal): Promise<void> {
  const { state } = await readJournal(placeOfPhase(run.phase).journal, files, signal);
  if (state.kind === 'none' || state.command === commandOf(run)) return;
  throw new SelvedgeError(
    `the machine at ${run.machine.addresses.join(', ')} is another one: it has the journal of ${state.command}`,
    {
      code: 'Conflict',
      hint: `find out where ${run.machine.name} is, then the same command with --address ${run.machine.name}=ADDRESS`,
    },
  );
}

/** Takes back all that the run did, and its journal. Nothing happens if there was none. Throws `Conflict` for another machine. */
export async function undoOn(run: MachineRun, deps: MachineDeps): Promise<void> {
  await withMachine(run.machine, deps, async (host, files) => {
    await refuseAnother(run, files, deps.signal);
    await undoPhase(run.phase, host, deps);
  });
}

/**
 * Of which phases there is something on a machine, in the order of going back. Changes nothing. Throws `Conflict` for the journal of
 * another machine.
 */
export async function phasesOn(
  machine: Machine,
  host: Host,
  signal: AbortSignal,
): Promise<readonly MachinePhase[]> {
  const files = createHostFiles(host);
  const found: MachinePhase[] = [];
  for (const phase of ['egress', 'manager'] as const) {
    await refuseAnother({ machine, phase }, files, signal);
    const { kind } = await files.look(placeOfPhase(phase).folder, signal);
    if (kind !== 'absent') found.push(phase);
  }
  return found;
}

/**
 * Takes back what was done beside the API server of a machine, by its journals alone: no API server is asked, and none is waited
 * for. Called again it goes on. Tells which phases there were. Throws `Corrupt` for a damaged journal, `Conflict` for another machine,
 * which stays as it is, for files that somebody changed since, and if another run has the machine.
 */
export async function undoMachine(
  machine: Machine,
  host: Host,
  deps: UndoDeps,
): Promise<readonly MachinePhase[]> {
  const phases = await phasesOn(machine, host, deps.signal);
  for (const phase of phases) await undoPhase(phase, host, deps);
  return phases;
}
