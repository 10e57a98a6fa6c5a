import { SelvedgeError, hasCode } from '@selvedge/kit';
import { resources } from '@selvedge/kube';
import { createHostFiles } from '../files/index.ts';
import type { Host } from '../host/index.ts';
import { type RunState, describeRun, forgetJournal, journalPlace, readJournal } from '../journal/index.ts';
import { joinCommand, nodeNameIn } from '../join/index.ts';
import { type Home, watchSteps, withHome } from '../revert/index.ts';
import { type Executors, createExecutors, undoSteps } from '../steps/index.ts';
import { resetPlan } from './describe.ts';
import { refuseIfUsed } from './if-used.ts';
import type { ResetDeps, ResetOptions, ResetResult } from './types.ts';

type Begun = Exclude<RunState, { kind: 'none' }>;

const command = 'selvedge reset';

function refuseOthers({ name }: Host, { command: of }: Begun): void {
  if (of === joinCommand) return;
  throw new SelvedgeError(`${name} was changed by \`${of}\``, {
    code: 'Conflict',
    hint: 'selvedge revert takes that back',
  });
}

/** What is there to be taken back. Throws `Corrupt`, and `Conflict` if it is another command's. */
async function found(host: Host, signal: AbortSignal): Promise<Begun | undefined> {
  const place = journalPlace();
  const { state, damagedLine } = await readJournal(place.journal, createHostFiles(host), signal);
  if (damagedLine !== undefined) {
    throw new SelvedgeError(
      `the journal ${place.journal} of ${host.name} is damaged in line ${damagedLine}`,
      {
        code: 'Corrupt',
        cause: new Error(`up to there it says: ${describeRun(state)}`),
        hint: 'nothing is guessed, and nothing was changed; docs/tasks/join.md says what to remove by hand',
      },
    );
  }
  if (state.kind === 'none') return undefined;
  refuseOthers(host, state);
  return state;
}

const nobody = (name: string): Promise<never> =>
  Promise.reject(new SelvedgeError(`nothing is sent on the way back: ${name}`, { code: 'Internal' }));

function executorsFor({ host, files, journal }: Home, options: ResetOptions, deps: ResetDeps): Executors {
  const run = journal.state.kind === 'none' ? '' : journal.state.run;
  const executors = createExecutors({ host, files, run, clock: deps.clock, sources: nobody });
  if (options.keepImages !== true) return executors;
  return { ...executors, images: { ...executors.images, undo: () => Promise.resolve() } };
}

async function takeBack(home: Home, options: ResetOptions, deps: ResetDeps): Promise<void> {
  const { journal, host, place } = home;
  const { progress, clock, signal } = deps;
  if (journal.state.kind === 'none') return;
  // Somebody may have come since it was looked at.
  refuseOthers(host, journal.state);
  const { onEvent } = watchSteps(clock, (text) => progress.note(text));
  await undoSteps({ journal, executors: executorsFor(home, options, deps), onEvent }, signal);
  await forgetJournal(host, place, signal);
}

/** Nobody reports for it any more. */
async function deleteNode(
  node: string,
  { cluster, signal }: ResetDeps,
): Promise<Pick<ResetResult, 'nodeObject' | 'warnings'>> {
  const byHand = `kubectl delete node ${node}`;
  if (cluster === undefined) {
    return { nodeObject: 'left', warnings: [`its Node is still in the cloud; to delete it:\n    ${byHand}`] };
  }
  try {
    await cluster.delete(resources.nodes, { name: node }, { signal });
  } catch (error) {
    if (hasCode(error, 'Forbidden', 'Unavailable', 'DeadlineExceeded', 'Invalid')) {
      const warning = `its Node could not be deleted: ${error.message}; to do it later:\n    ${byHand}`;
      return { nodeObject: 'left', warnings: [warning] };
    }
    if (!hasCode(error, 'NotFound')) throw error;
  }
  return { nodeObject: 'deleted', warnings: [] };
}

/** A join that ended before its first step may have left the place of its journal. */
async function unchanged(host: Host, { machine }: ResetOptions, deps: ResetDeps): Promise<ResetResult> {
  const { kind } = await createHostFiles(host).look(journalPlace().folder, deps.signal);
  if (kind !== 'absent') await withHome({ machine, command }, deps, () => Promise.resolve());
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
  const begunMs = clock.monotonicMs();
  await progress.task(`take ${node} back`, (inner) =>
    withHome({ machine: options.machine, command }, deps, (home, within) =>
      takeBack(home, options, { ...deps, progress: inner, signal: within }),
    ),
  );
  const cloud = await progress.task('delete the Node', () => deleteNode(node, deps));
  return { outcome: 'reset', node, ...cloud, totalMs: clock.monotonicMs() - begunMs };
}
