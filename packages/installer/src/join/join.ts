import { SelvedgeError, hasCode } from '@selvedge/kit';
import { createHostFiles } from '../files/index.ts';
import type { Host } from '../host/index.ts';
import { places } from '../places.ts';
import { type MachineSession, joinCommand, joinTraces, watchSteps, withSession } from '../session/index.ts';
import { type Sources, applySteps, createExecutors } from '../steps/index.ts';
import { type BegunRun, runId } from '../journal/index.ts';
import { begin } from './begin.ts';
import { checkJoinOptions } from './check-options.ts';
import { joinPlan } from './describe.ts';
import { earlierJoin } from './earlier.ts';
import { examineCluster } from './examine-cluster.ts';
import { nodeNameIn } from './journalled.ts';
import { sourceNames, tokenFile } from './names.ts';
import { lookAtEdgeLite } from './edge-lite-state.ts';
import { type Surveyed, knownArchitecture, survey } from './survey.ts';
import { type JoinDeps, type JoinOptions, type JoinResult, joinDefaults } from './types.ts';
import { awaitUnit, untilReached, untilReady } from './wait-ready.ts';
import { whyNot } from './why.ts';

/** What was asked, and by which means. */
interface Asked {
  readonly options: JoinOptions;
  readonly deps: JoinDeps;
}

/** What steps send. */
function sourcesOf(host: Host, { options: { token }, deps: { artifacts } }: Asked): Sources {
  return async (name, signal) => {
    if (name === sourceNames.token) return Buffer.from(`${token}\n`);
    const { stdout } = await host.run({ argv: ['uname', '-m'] }, signal);
    const arch = knownArchitecture(stdout.toString().trim());
    if (name === sourceNames.program) return (await artifacts.edgeLite(arch)).bytes;
    for (const manager of ['apt', 'dnf'] as const) {
      const found = (await artifacts.packages?.({ arch, manager }))?.find(({ file }) => file === name);
      if (found !== undefined) return found.bytes;
    }
    throw new SelvedgeError(`the release does not contain ${name}`, { code: 'NotFound' });
  };
}

/** Does the steps that are left, and waits until the node is Ready and reached through the tunnel. */
async function change(session: MachineSession, surveyed: Surveyed, asked: Asked): Promise<void> {
  const { host, files, journal } = session;
  const { clock, progress, signal } = asked.deps;
  await begin(session, surveyed, { ...asked.deps, token: asked.options.token });
  const run = runId(journal.state);
  const executors = createExecutors({ host, files, run, clock, sources: sourcesOf(host, asked) });
  const { onEvent } = watchSteps(clock, (text) => progress.note(text));
  const { timeoutMs = joinDefaults.timeoutMs } = asked.options;
  const check = async (): Promise<void> => {
    // It may have given up since its step was done, because of its token for instance.
    await host.run({ argv: ['systemctl', '--no-block', 'start', places.unit] }, signal);
    const waiting = { host, node: surveyed.nodeName, clock, progress, signal };
    await untilReady(waiting, timeoutMs);
    await files.remove(tokenFile, signal);
    await untilReached(waiting);
  };
  try {
    await applySteps({ journal, executors, onEvent, check }, signal);
  } catch (cause) {
    signal.throwIfAborted();
    if (!hasCode(cause, 'Unavailable')) throw cause;
    const { active, exitCode } = await lookAtEdgeLite(host, signal);
    throw active === 'failed' ? await whyNot({ host, exitCode, cause }, signal) : cause;
  }
}

/** A machine that has joined already. */
async function unchanged(host: Host, state: BegunRun, { options, deps }: Asked): Promise<JoinResult> {
  const node = nodeNameIn(state);
  const { timeoutMs = joinDefaults.timeoutMs } = options;
  await deps.agree(joinPlan(node, [], []));
  await deps.progress.task(`verify that ${node} is Ready`, async (progress) => {
    const waiting = { ...deps, host, node, progress };
    await untilReady(waiting, timeoutMs);
    await untilReached(waiting);
  });
  return { outcome: 'unchanged', node, ...(await awaitUnit({ ...deps, host, node }, options.unit)) };
}

/** What is left of a join. The token is tried unless the node has its certificate. */
async function whatIsLeft(host: Host, state: BegunRun, { options, deps }: Asked): Promise<Surveyed> {
  const { kind } = await createHostFiles(host).look(places.identity, deps.signal);
  if (kind === 'absent') await deps.progress.task('inspect the cluster', () => examineCluster(options, deps));
  const left = state.steps.filter(({ progress }) => progress.kind !== 'done');
  return { run: state.run, nodeName: nodeNameIn(state), steps: left.map(({ step }) => step), warnings: [] };
}

/**
 * Makes a lite node of a bare machine: looks at it and at the cluster before anything is changed, shows what it will do, does it,
 * and waits until the Node is Ready and, with a tunnel, the cloud reaches it. Called again after whatever it failed of, it goes on there; on a node it changes nothing.
 * Throws `Invalid` for wrong options, `Conflict` with `findings` in its details if the machine cannot join, and the cause, with
 * the next command, when it fails.
 */
export async function join(options: JoinOptions, deps: JoinDeps): Promise<JoinResult> {
  checkJoinOptions(options);
  const { hosts, progress, clock, signal } = deps;
  const asked = { options, deps };
  await using host = await hosts.open(options.machine, signal);
  const state = await earlierJoin(host, options, signal);
  if (state?.kind === 'done') return await unchanged(host, state, asked);
  const surveyed =
    state === undefined ? await survey(host, options, deps) : await whatIsLeft(host, state, asked);
  const { nodeName: node, steps, warnings } = surveyed;
  if (!(await deps.agree(joinPlan(node, steps, warnings)))) return { outcome: 'declined', node, warnings };
  const begunMs = clock.monotonicMs();
  await progress.task(`join ${node}`, (inner) =>
    withSession(
      { machine: options.machine, command: joinCommand, traces: joinTraces },
      deps,
      (session, within) =>
        change(session, surveyed, { options, deps: { ...deps, progress: inner, signal: within } }),
    ),
  );
  const totalMs = clock.monotonicMs() - begunMs;
  const member = await awaitUnit({ ...deps, host, node }, options.unit);
  return { outcome: 'joined', node, totalMs, ...member, warnings: [...warnings, ...member.warnings] };
}
