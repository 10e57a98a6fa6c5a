import { SelvedgeError } from '@selvedge/kit';
import { createHostFiles } from '../files/index.ts';
import type { Host } from '../host/index.ts';
import { type BegunRun, journalPlace, readJournal } from '../journal/index.ts';
import { joinCommand } from '../session/index.ts';
import { otherThan } from './journalled.ts';
import type { JoinOptions } from './types.ts';

/** What is there of an earlier join. Throws `Corrupt`, and `Conflict` if it is not to be gone on with. */
export async function earlierJoin(
  host: Host,
  options: JoinOptions,
  signal: AbortSignal,
): Promise<BegunRun | undefined> {
  const { state, damagedLine } = await readJournal(journalPlace().journal, createHostFiles(host), signal);
  if (damagedLine !== undefined) {
    throw new SelvedgeError(`the journal of ${host.name} is damaged at line ${damagedLine}`, {
      code: 'Corrupt',
      hint: 'selvedge reset shows its readable part; no changes were made',
    });
  }
  if (state.kind === 'none' || state.kind === 'undone') return undefined;
  if (state.command !== joinCommand) {
    throw new SelvedgeError(`${host.name} was changed by \`${state.command}\``, {
      code: 'Conflict',
      hint: 'it is a converted node; undo that with selvedge revert',
    });
  }
  const other = otherThan(state, options);
  if (other === undefined) return state;
  throw new SelvedgeError(`${host.name} has already joined, or started to join, ${other}`, {
    code: 'Conflict',
    hint: 'repeat that command, or undo it first with selvedge reset',
  });
}
