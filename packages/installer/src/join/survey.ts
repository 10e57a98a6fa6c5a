import { SelvedgeError } from '@selvedge/kit';
import { type Architecture, architectureOf } from '../artifacts/index.ts';
import type { Finding } from '../check/index.ts';
import type { Progress } from '../command/index.ts';
import { type NodeFacts, gatherFacts } from '../facts/index.ts';
import type { Host } from '../host/index.ts';
import type { Step } from '../steps/index.ts';
import { nodeNameOf } from './check-options.ts';
import { type ClusterSight, examineCluster } from './examine-cluster.ts';
import { joinFindings } from './findings.ts';
import { planJoin } from './plan.ts';
import { type RuntimeFacts, lookAtRuntime } from './runtime-facts.ts';
import type { JoinDeps, JoinOptions } from './types.ts';

/** What becomes of a machine, and what is sent to it. */
export interface Surveyed {
  /** The run to resume; undefined: a new one. */
  readonly run?: string;
  readonly nodeName: string;
  readonly steps: readonly Step[];
  readonly warnings: readonly string[];
}

/** As Kubernetes names it. Throws `Unsupported`. */
export function knownArchitecture(arch: string): Architecture {
  const known = architectureOf(arch);
  if (known !== undefined) return known;
  throw new SelvedgeError(`there is no edge-lite for ${arch}`, { code: 'Unsupported' });
}

const tell = ({ what, fix }: Finding): string => `${what}: ${fix}`;

function refuse(findings: readonly Finding[]): void {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const [first, ...more] = errors;
  if (first === undefined) return;
  throw new SelvedgeError(`the machine cannot join: ${errors.map(({ what }) => what).join('; ')}`, {
    code: 'Conflict',
    cause: new Error(first.why),
    hint: more.length === 0 ? first.fix : errors.map(tell).join('; '),
    details: { findings },
  });
}

interface Seen {
  readonly facts: NodeFacts;
  readonly runtime: RuntimeFacts;
  readonly aheadMs: number;
}

async function lookAt(host: Host, options: JoinOptions, { clock, signal }: JoinDeps): Promise<Seen> {
  const facts = await gatherFacts(host, signal);
  const aheadMs = facts.timeMs - clock.now();
  const runtime = await lookAtRuntime(host, new URL(options.server), signal);
  return { facts, runtime, aheadMs };
}

/** Files of packages that the release has for the machine. */
async function archivesFor({ facts, runtime }: Seen, { artifacts }: JoinDeps): Promise<readonly string[]> {
  const { manager } = runtime;
  const arch = architectureOf(facts.arch);
  if (manager === undefined || arch === undefined) return [];
  const files = await artifacts.packages?.({ arch, manager });
  return (files ?? []).map(({ file }) => file);
}

/**
 * Looks at a machine and at the cluster, changes nothing, and says what is to be done. Throws `Conflict` with `findings` in
 * its details if the machine cannot join, and what `examineCluster` throws.
 */
export async function survey(
  host: Host,
  options: JoinOptions,
  deps: JoinDeps & { readonly progress: Progress },
): Promise<Surveyed> {
  const { progress, artifacts } = deps;
  const cluster: ClusterSight = await progress.task('inspect the cluster', () =>
    examineCluster(options, deps),
  );
  const seen = await progress.task('inspect the machine', () => lookAt(host, options, deps));
  const archives = await archivesFor(seen, deps);
  const findings = joinFindings({ ...seen, cluster, archives: archives.length }, options);
  refuse(findings);
  const nodeName = nodeNameOf(options, seen.facts.hostname);
  const { sha256 } = await artifacts.edgeLite(knownArchitecture(seen.facts.arch));
  const input = { nodeName, runtime: seen.runtime, cluster, program: { sha256 }, archives };
  return { nodeName, steps: planJoin(input, options), warnings: findings.map(tell) };
}
