import type { CheckFacts } from './facts.ts';
import type { Rules } from './rule.ts';
import { accessRules } from './rules/access.ts';
import { certificateRules } from './rules/certificates.ts';
import { clusterRules } from './rules/cluster.ts';
import { machineRules } from './rules/machines.ts';
import { nodeRules } from './rules/nodes.ts';
import { reachRules } from './rules/reach.ts';
import { serviceProxyRules } from './rules/service-proxy.ts';
import { versionRules } from './rules/versions.ts';
import type { Finding, Severity } from './types.ts';

/** Everything that is looked for, by its id. */
export const rules: Rules = {
  ...versionRules,
  ...accessRules,
  ...clusterRules,
  ...nodeRules,
  ...machineRules,
  ...reachRules,
  ...serviceProxyRules,
  ...certificateRules,
};

/** The worst first. */
const severities: readonly Severity[] = ['error', 'warning', 'info'];

/** What all rules find, the worst first. Pure. */
export function judge(facts: CheckFacts): readonly Finding[] {
  const found = Object.entries(rules).flatMap(([id, rule]) => rule(facts).map((told) => ({ id, ...told })));
  return severities.flatMap((severity) => found.filter((one) => one.severity === severity));
}
