import { SelvedgeError, messageOf } from '@selvedge/kit';
import { phasesOn } from '../cloud/index.ts';
import { createHostFiles } from '../files/index.ts';
import type { Hosts, Machine } from '../host/index.ts';
import { type RunState, configIn, decodeJournal, journalPlace, readJournal } from '../journal/index.ts';
import { type Untold, convertCommand, nodeTraces, untoldOn } from '../session/index.ts';
import { limits } from '../limits.ts';
import { describeRecords } from './damage.ts';

/** What is found on a machine that may have to be taken back. */
export type Found =
  /** A run of `convert`, whole or not. */
  | { readonly kind: 'touched'; readonly left: number; readonly of: number }
  /** Nothing of ours. */
  | { readonly kind: 'clean' }
  /** What another command made, and takes back: `selvedge join`. */
  | { readonly kind: 'other'; readonly command: string }
  /** `what`: of its journal, for people. */
  | { readonly kind: 'damaged'; readonly what: string; readonly known: readonly string[] }
  /** Parts of the cloud side next to the API server of this machine. Looked for only without the cloud. */
  | { readonly kind: 'beside'; readonly phases: readonly string[] }
  /** It could not be entered, or is another machine. */
  | { readonly kind: 'closed'; readonly message: string; readonly hint?: string };

export interface LookDeps {
  readonly hosts: Hosts;
  /** The cloud does not tell what is beside its API servers. */
  readonly isOffline: boolean;
  /** Where things are kept on machines. Default: that of `journalPlace`. */
  readonly folder?: string;
}

function foundIn(state: RunState, isThere: boolean): Found {
  // A run that was interrupted before its first change leaves its folder.
  if (state.kind === 'none') return isThere ? { kind: 'touched', left: 0, of: 0 } : { kind: 'clean' };
  if (state.command !== convertCommand) return { kind: 'other', command: state.command };
  const left = state.steps.filter(({ progress }) => 'before' in progress).length;
  return { kind: 'touched', left, of: state.steps.length };
}

/** The address may be that of another machine. */
function refuseAnother({ name }: Machine, state: RunState): void {
  const there = configIn(state)?.nodeName;
  if (there === undefined || there === name) return;
  throw new SelvedgeError(`the machine at that address is node ${there}, not ${name}`, {
    code: 'Conflict',
    hint: `use --nodes ${name}=ADDRESS`,
  });
}

const incomplete = ({ kind }: RunState): string =>
  kind === 'none' ? 'is missing, and the machine was changed' : 'is missing its last lines';

/** What is not in the journal, in no later one either: nothing keeps another run from going on while it is looked at. */
async function untoldTwice(untold: Untold, path: string, signal: AbortSignal): Promise<readonly string[]> {
  const known = await untoldOn(untold, signal);
  if (known.length === 0) return known;
  const { state } = await readJournal(path, untold.files, signal);
  const later = await untoldOn({ ...untold, state }, signal);
  return known.filter((one) => later.includes(one));
}

async function look(
  machine: Machine,
  { hosts, isOffline, folder }: LookDeps,
  signal: AbortSignal,
): Promise<Found> {
  await using host = await hosts.open(machine, signal);
  const files = createHostFiles(host);
  const { folder: home, journal } = journalPlace(folder);
  const { state, damagedLine } = await readJournal(journal, files, signal);
  if (damagedLine === undefined) {
    refuseAnother(machine, state);
    const known = await untoldTwice({ host, files, state, traces: nodeTraces }, journal, signal);
    if (known.length > 0) return { kind: 'damaged', what: incomplete(state), known };
    const isThere = (await files.look(home, signal)).kind !== 'absent';
    const found = foundIn(state, isThere);
    const phases = isOffline && found.kind === 'clean' ? await phasesOn(machine, host, signal) : [];
    return phases.length === 0 ? found : { kind: 'beside', phases };
  }
  const text = await files.read(journal, { maxBytes: limits.maxReadBytes }, signal);
  return {
    kind: 'damaged',
    what: `is damaged at line ${damagedLine}`,
    known: describeRecords(decodeJournal(text.toString()).records),
  };
}

/** Looks at what was done on a machine. Changes nothing. Throws for the signal alone. */
export async function lookAtMachine(machine: Machine, deps: LookDeps, signal: AbortSignal): Promise<Found> {
  try {
    return await look(machine, deps, signal);
  } catch (error) {
    signal.throwIfAborted();
    const hint = error instanceof SelvedgeError ? error.hint : undefined;
    return { kind: 'closed', message: messageOf(error), ...(hint === undefined ? {} : { hint }) };
  }
}
