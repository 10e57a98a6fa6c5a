import { SelvedgeError } from '@selvedge/kit';
import { createHostFiles } from '../files/index.ts';
import type { Host } from '../host/index.ts';
import { type BegunRun, describeRun, journalPlace, readJournal } from '../journal/index.ts';
import { nodeNameIn } from '../join/index.ts';
import {
  type MachineSession,
  joinCommand,
  joinTraces,
  refuseUntold,
  undoRun,
  watchSteps,
  withSession,
} from '../session/index.ts';
import type { Executors } from '../steps/index.ts';
import { resetPlan } from './describe.ts';
import { forgetNode } from './forget-node.ts';
import { refuseIfUsed } from './if-used.ts';
import type { ResetDeps, ResetOptions, ResetResult } from './types.ts';

const command = 'selvedge reset';

function refuseOthers({ name }: Host, { command: of }: BegunRun): void {
  if (of === joinCommand) return;
  throw new SelvedgeError(`${name} was changed by \`${of}\``, {
    code: 'Conflict',
    hint: 'undo that with selvedge revert',
  });
}

/** What is there to be taken back. Throws `Corrupt`, and `Conflict` if it is another command's. */
async function found(host: Host, signal: AbortSignal): Promise<BegunRun | undefined> {
  const place = journalPlace();
  const { state, damagedLine } = await readJournal(place.journal, createHostFiles(host), signal);
  if (damagedLine !== undefined) {
    throw new SelvedgeError(
      `the journal ${place.journal} of ${host.name} is damaged at line ${damagedLine}`,
      {
        code: 'Corrupt',
        cause: new Error(`up to there it says: ${describeRun(state)}`),
        hint: 'no changes were made; to clean up by hand: docs/tasks/join.md, "With a damaged journal"',
      },
    );
  }
  if (state.kind === 'none') return undefined;
  refuseOthers(host, state);
  return state;
}

interface TakingBack extends ResetDeps {
  /** Told what stays as somebody else made it since. */
  readonly onKept: (text: string) => void;
}

/** Images stay as they are. */
const keepingImages = ({ images }: Executors): Partial<Executors> => ({
  images: { ...images, undo: () => Promise.resolve() },
});

async function takeBack(session: MachineSession, options: ResetOptions, deps: TakingBack): Promise<void> {
  const { journal, host } = session;
  const { progress, clock, signal, onKept } = deps;
  if (journal.state.kind === 'none') return;
  // Somebody may have come since it was looked at.
  refuseOthers(host, journal.state);
  const { onEvent } = watchSteps(clock, (text) => progress.note(text));
  const instead = options.keepImages === true ? keepingImages : undefined;
  await undoRun(session, { clock, onKept, onEvent, instead }, signal);
  session.forget();
}

/** A join that ended before its first step may have left the place of its journal. */
async function unchanged(host: Host, { machine }: ResetOptions, deps: ResetDeps): Promise<ResetResult> {
  const files = createHostFiles(host);
  const traces = joinTraces;
  await refuseUntold({ host, files, state: { kind: 'none' }, traces }, deps.signal);
  const { kind } = await files.look(journalPlace().folder, deps.signal);
  if (kind !== 'absent') await withSession({ machine, command, traces }, deps, () => Promise.resolve());
  return { outcome: 'unchanged', warnings: [] };
}

/**
 * Takes back what a join did, by its journal and in reverse: pods end, and nothing is left. It asks nothing of the cloud, but
 * to delete the Node if it is given one. Called again after whatever it failed of, it goes on there.
 */
export async function reset(options: ResetOptions, deps: ResetDeps): Promise<ResetResult> {
  const { hosts, progress, clock, signal } = deps;
  await using host = await hosts.open(options.machine, signal);
  const state = await found(host, signal);
  if (state === undefined) return await unchanged(host, options, deps);
  const node = nodeNameIn(state);
  const { keepImages = false } = options;
  const steps = state.steps.filter((one) => 'before' in one.progress).map(({ step }) => step);
  await refuseIfUsed(host, state, signal);
  const plan = resetPlan({ node, steps, keepImages, deletesNode: deps.cluster !== undefined });
  if (!(await deps.agree(plan))) return { outcome: 'declined', node, warnings: [] };
  const kept: string[] = [];
  const onKept = (text: string): number => kept.push(text);
  const begunMs = clock.monotonicMs();
  await progress.task(`reset ${node}`, (inner) =>
    withSession({ machine: options.machine, command }, deps, (session, within) =>
      takeBack(session, options, { ...deps, progress: inner, onKept, signal: within }),
    ),
  );
  const cloud = await progress.task('delete the Node object', () => forgetNode(node, deps));
  const totalMs = clock.monotonicMs() - begunMs;
  return { outcome: 'reset', node, ...cloud, warnings: [...kept, ...cloud.warnings], totalMs };
}
