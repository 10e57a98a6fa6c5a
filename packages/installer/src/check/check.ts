import { hasCode, messageOf } from '@selvedge/kit';
import { resources } from '@selvedge/kube';
import { createReading } from '../reading/index.ts';
import type { CheckFacts } from './facts.ts';
import { lookAtCluster, lookAtServer } from './look/cluster.ts';
import { lookAtNodes } from './look/nodes.ts';
import { judge } from './rules.ts';
import type { CheckDeps, CheckOptions, CheckResult, Finding } from './types.ts';

function resultOf(
  { server }: CheckDeps['cluster'],
  findings: readonly Finding[],
  facts?: CheckFacts,
): CheckResult {
  const count = (severity: Finding['severity']): number =>
    findings.filter((one) => one.severity === severity).length;
  const nodes = facts?.nodes ?? [];
  return {
    server,
    version: facts?.cluster.version ?? '',
    nodes: nodes.map(({ node }) => node.name),
    machines: nodes.filter(({ machine }) => machine.kind === 'seen').map(({ node }) => node.name),
    counts: { error: count('error'), warning: count('warning'), info: count('info') },
    findings,
  };
}

function unreachable(server: string, error: unknown): Finding {
  return {
    id: 'api-not-reached',
    severity: 'error',
    where: 'cluster',
    what: `cannot query the API server ${server}: ${messageOf(error)}`,
    why: 'every other check needs it',
    fix: 'try kubectl version with the same --kubeconfig and --context',
  };
}

async function gather(options: CheckOptions, deps: CheckDeps): Promise<CheckFacts> {
  const reading = createReading(deps);
  // Of all namespaces: few things are not found by them.
  const pods = await reading.list(resources.pods);
  const nodes = await deps.progress.task('inspect the nodes', () =>
    lookAtNodes({ options, pods, reading }, deps),
  );
  const cluster = await deps.progress.task('inspect the cluster', () =>
    lookAtCluster({ pods, reading }, deps),
  );
  return { cluster, nodes };
}

/**
 * Looks for everything that would keep a cluster from being converted, or be a loss, and changes nothing. An API server that
 * does not answer is a finding; throws `Invalid` and `NotFound` for a choice of nodes that means nothing.
 */
export async function check(options: CheckOptions, deps: CheckDeps): Promise<CheckResult> {
  try {
    await lookAtServer(deps);
  } catch (error) {
    deps.signal.throwIfAborted();
    if (!hasCode(error, 'Unavailable', 'DeadlineExceeded', 'Unauthenticated', 'Forbidden')) throw error;
    return resultOf(deps.cluster, [unreachable(deps.cluster.server, error)]);
  }
  const facts = await gather(options, deps);
  return resultOf(deps.cluster, judge(facts), facts);
}
