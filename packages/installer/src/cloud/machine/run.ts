import type { Clock } from '@selvedge/kit';
import { type HostFiles, createHostFiles } from '../../files/index.ts';
import type { Host, Hosts, Machine } from '../../host/index.ts';
import {
  type JournalPlace,
  forgetJournal,
  journalPlace,
  lockMachine,
  openJournal,
  readJournal,
} from '../../journal/index.ts';
import { type Sources, type Step, applySteps, createExecutors, undoSteps } from '../../steps/index.ts';
import type { MachinePhase } from '../types.ts';

export interface MachineDeps {
  readonly hosts: Hosts;
  readonly clock: Clock;
  readonly version: string;
  readonly signal: AbortSignal;
}

export interface MachineRun {
  readonly machine: Machine;
  readonly phase: MachinePhase;
}

/** Each phase has a journal of its own: one is taken back without the other. */
const placeOfPhase = (phase: MachinePhase): JournalPlace =>
  journalPlace(`/var/lib/selvedge-installer-${phase}`);

export async function withMachine<T>(
  machine: Machine,
  { hosts, signal }: MachineDeps,
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
  const { clock, version } = deps;
  const place = placeOfPhase(phase);
  await withMachine(machine, deps, async (host, files) => {
    const owner = `selvedge ${phase} of ${machine.name}`;
    await using lock = await lockMachine({ owner, place }, { host, clock }, deps.signal);
    const journal = await openJournal(place.journal, files, deps.signal);
    if (journal.state.kind === 'none' || journal.state.kind === 'undone') {
      const at = new Date(clock.now()).toISOString();
      const steps = await plan(files);
      const run = `${phase}-${at.replaceAll(/\D/g, '').slice(0, 14)}`;
      await journal.write({ kind: 'begun', run, command: owner, version, at, steps }, deps.signal);
    }
    const { run } = journal.state as { readonly run: string };
    const executors = createExecutors({ host, files, run, clock, sources });
    await applySteps({ journal, executors, onEvent: () => undefined }, lock.signal);
  });
}

const noSources: Sources = (name) =>
  Promise.reject(new Error(`nothing is uploaded on the way back: ${name}`));

/** Takes back all that the run did, and its journal. Nothing happens if there was none. */
export async function undoOn({ machine, phase }: MachineRun, deps: MachineDeps): Promise<void> {
  const place = placeOfPhase(phase);
  const { clock } = deps;
  await withMachine(machine, deps, async (host, files) => {
    if ((await runStateOf(phase, files, deps.signal)) !== 'none') {
      const owner = `selvedge ${phase} of ${machine.name}, back`;
      await using lock = await lockMachine({ owner, place }, { host, clock }, deps.signal);
      const journal = await openJournal(place.journal, files, deps.signal);
      if (journal.state.kind !== 'none') {
        const executors = createExecutors({ host, files, run: journal.state.run, clock, sources: noSources });
        await undoSteps({ journal, executors, onEvent: () => undefined }, lock.signal);
      }
    }
    await forgetJournal(host, place, deps.signal);
  });
}
