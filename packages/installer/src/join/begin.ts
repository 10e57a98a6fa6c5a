import { type Clock, SelvedgeError } from '@selvedge/kit';
import { places } from '../places.ts';
import { type MachineSession, joinCommand } from '../session/index.ts';
import { tokenFile } from './names.ts';
import type { Surveyed } from './survey.ts';

/** Who begins. */
export interface BeginDeps {
  readonly token: string;
  readonly clock: Clock;
  readonly version: string;
  readonly signal: AbortSignal;
}

/** Who has no certificate yet gets the token that was given now; it is of no use to others. */
async function renewToken(
  { files, journal: { state } }: MachineSession,
  token: string,
  signal: AbortSignal,
): Promise<void> {
  if (state.kind === 'none') return;
  const isWritten = state.steps.some(
    ({ step, progress }) => step.kind === 'secret' && progress.kind === 'done',
  );
  if (!isWritten || (await files.look(places.identity, signal)).kind === 'file') return;
  await files.write(tokenFile, { content: `${token}\n`, mode: 0o600 }, signal);
}

/** The run that is under way, or done. */
const runIn = ({ state }: MachineSession['journal']): string | undefined =>
  state.kind === 'begun' || state.kind === 'done' ? state.run : undefined;

/**
 * Begins a run on a machine that is ours now, or goes on with the one that is there. Throws `Conflict` if another one came
 * between the look at the machine and this: what was agreed to is not what would be done.
 */
export async function begin(
  session: MachineSession,
  { run: goesOn, steps }: Surveyed,
  { token, clock, version, signal }: BeginDeps,
): Promise<void> {
  const { run, host, journal } = session;
  if (runIn(journal) !== goesOn || journal.state.kind === 'done') {
    throw new SelvedgeError(`${host.name} was changed by another run since it was inspected`, {
      code: 'Conflict',
      hint: 'no changes were made; run the same command again',
    });
  }
  if (goesOn !== undefined) return renewToken(session, token, signal);
  const at = new Date(clock.now()).toISOString();
  return journal.write({ kind: 'begun', run, command: joinCommand, version, at, steps }, signal);
}
