import { expect, test } from 'vitest';
import { managerObjects } from './manager-role.ts';
import type { PolicyRule } from './role.ts';

interface Role {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

const rules = managerObjects.flatMap((object): readonly PolicyRule[] =>
  'rules' in object ? (object.rules as readonly PolicyRule[]) : [],
);

/** The verbs that any role of the manager grants on a resource, wildcards counted. */
function verbsOn(group: string, resource: string): readonly string[] {
  const verbs = rules.flatMap((rule) => {
    if ('nonResourceURLs' in rule) return [];
    const [, subresource] = resource.split('/');
    const names = ['*', resource, subresource === undefined ? '*' : `*/${subresource}`];
    const isMeant = rule.apiGroups.some((one) => one === '*' || one === group);
    return isMeant && rule.resources.some((one) => names.includes(one)) ? rule.verbs : [];
  });
  return [...new Set(verbs)].toSorted();
}

test('the manager makes and deletes EdgeNodes, and changes nothing but their status: people lift a ban', () => {
  expect(verbsOn('selvedge.io', 'edgenodes')).toEqual(['create', 'delete', 'list', 'watch']);
  expect(verbsOn('selvedge.io', 'edgenodes/status')).toEqual(['patch']);
  // What would give it more: rights on who has which rights, and on what watches over deletions.
  expect(verbsOn('rbac.authorization.k8s.io', 'clusterroles')).toEqual([]);
  expect(verbsOn('admissionregistration.k8s.io', 'validatingadmissionpolicies')).toEqual([]);
});

test('what reads Secrets everywhere is one role, which can be taken away from the manager', () => {
  const roles = managerObjects as readonly (Role & { readonly rules?: readonly PolicyRule[] })[];
  const reading = roles.filter(
    ({ kind, rules: own = [] }) =>
      kind === 'ClusterRole' && own.some((rule) => 'resources' in rule && rule.resources.includes('secrets')),
  );
  expect(reading.map(({ metadata }) => metadata.name)).toEqual(['selvedge:unit-apps']);
});
