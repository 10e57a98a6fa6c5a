import type { Finding } from '../check/index.ts';
import type { Rules, Sight } from './rule.ts';
import { machineRules } from './rules/machine.ts';
import { runtimeRules } from './rules/runtime.ts';
import { wayRules } from './rules/ways.ts';
import type { JoinOptions } from './types.ts';

const rules: Rules = { ...machineRules, ...runtimeRules, ...wayRules };

/** What is wrong with a machine that is to join, or might be; the errors first. Pure. */
export function joinFindings(sight: Sight, options: JoinOptions): readonly Finding[] {
  const where = `node ${options.nodeName ?? sight.facts.hostname.toLowerCase()}`;
  const found = Object.entries(rules).flatMap(([id, rule]) => {
    const told = rule(sight, options);
    return told === undefined ? [] : [{ id, where, ...told }];
  });
  return [
    ...found.filter(({ severity }) => severity === 'error'),
    ...found.filter(({ severity }) => severity !== 'error'),
  ];
}
