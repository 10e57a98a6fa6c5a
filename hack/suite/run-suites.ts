import { type Clock, explain } from '@selvedge/kit';
import type { Setup } from '../setup/index.ts';
import { runGate, runGates } from './gates.ts';
import { otherNode } from './other-node.ts';
import { type PlanOptions, type Project, plan } from './plan.ts';
import { type Report, crash, emptyReport } from './report.ts';
import type { SuiteResult } from './summary.ts';
import { runVitest } from './vitest.ts';

export interface SuiteOptions extends PlanOptions {
  /** The root of the checkout. */
  readonly repository: string;
  /** The pinned Node's executable. */
  readonly nodeExecutable: string;
  readonly signal: AbortSignal;
}

export interface SuiteDeps {
  readonly setup: Setup;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** Collects results; a suite that throws counts as one failure and does not keep the next from running. */
export function createRecorder(deps: { clock: Pick<Clock, 'monotonicMs'>; say: (text: string) => void }): {
  readonly results: readonly SuiteResult[];
  record(suite: string, work: () => Promise<Report>): Promise<void>;
} {
  const results: SuiteResult[] = [];
  return {
    results,
    async record(suite, work) {
      const started = deps.clock.monotonicMs();
      const report = await work().catch((error: unknown) => {
        const why = explain(error);
        deps.say(`✗ ${suite}: ${why}`);
        return crash(suite, why);
      });
      results.push({ suite, report, durationMs: deps.clock.monotonicMs() - started });
    },
  };
}

/** Checks and completes the machine, then starts the builds, whose end is awaited before the first test needs them. */
async function startBuilds(setup: Setup, signal: AbortSignal): Promise<() => Promise<Report>> {
  await setup.preflight();
  await setup.packages(signal);
  const building = setup.assets({ signal }).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  return async () => {
    const failure = await building;
    if (failure !== undefined) throw failure.error;
    return emptyReport;
  };
}

/** Everything that `hack/test` runs, in order. Suites go on after one has failed, but not after an interrupt. */
export async function runSuites(options: SuiteOptions, deps: SuiteDeps): Promise<readonly SuiteResult[]> {
  const { signal, repository, filters } = options;
  const { setup, clock } = deps;
  const wanted = plan(options);
  const recorder = createRecorder({ clock, say: (text) => setup.progress.note(text) });
  const suite = async (name: string, work: () => Promise<Report>): Promise<void> => {
    if (!signal.aborted) await recorder.record(name, work);
  };
  const builds = wanted.machine ? await startBuilds(setup, signal) : undefined;
  const node =
    options.node === undefined ? options.nodeExecutable : await otherNode(options.node, setup, signal);
  const vitest = (project: Project): Promise<void> =>
    suite(project, () => runVitest({ repository, node, project, filters, signal }));

  if (wanted.gates) await suite('gates', () => runGates({ repository, signal }, setup.progress));
  if (wanted.projects.includes('unit')) await vitest('unit');
  if (builds !== undefined) await suite('builds', builds);
  if (wanted.generated) {
    const script = ['gen', '--check'];
    await suite('generated code', () => runGate(script, { repository, signal }, setup.progress));
  }
  for (const project of wanted.projects.filter((name) => name !== 'unit')) await vitest(project);
  return recorder.results;
}
