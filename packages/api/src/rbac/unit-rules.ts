import type { Grant } from './hub-rules.ts';

/** Applying what is not there makes it, and needs both rights; what is in the way is looked at. */
const making = ['get', 'list', 'watch', 'create', 'patch', 'delete'] as const;

/** What the unit-controller needs, in whose name it ever runs. */
export const unitRules: readonly Grant[] = [
  {
    reason:
      'The units, whether one is really gone, and the finalizer that keeps it until its members have nothing of it.',
    rule: { apiGroups: ['selvedge.io'], resources: ['edgeunits'], verbs: ['get', 'list', 'watch', 'patch'] },
  },
  {
    reason: 'Members, counts and conflicts of the units.',
    rule: { apiGroups: ['selvedge.io'], resources: ['edgeunits/status'], verbs: ['patch'] },
  },
  {
    reason: 'Labels, annotations, taints and cordons that units give their members, and take away.',
    rule: { apiGroups: [''], resources: ['nodes'], verbs: ['patch'] },
  },
  {
    reason:
      'EdgeNodes of members that never had a tunnel. What is in their spec from then on is of people: a ban too.',
    rule: { apiGroups: ['selvedge.io'], resources: ['edgenodes'], verbs: ['create'] },
  },
  {
    reason: 'The record of what each Node got from its unit.',
    rule: { apiGroups: ['selvedge.io'], resources: ['edgenodes/status'], verbs: ['patch'] },
  },
  {
    reason: 'The UnitApps.',
    rule: { apiGroups: ['selvedge.io'], resources: ['unitapps'], verbs: ['list', 'watch'] },
  },
  {
    reason: 'Where the rollout of a UnitApp is, and what has become of it in each unit.',
    rule: { apiGroups: ['selvedge.io'], resources: ['unitapps/status'], verbs: ['patch'] },
  },
  {
    reason:
      'UnitApps own what they make, and go last: asked for where OwnerReferencesPermissionEnforcement is on.',
    rule: { apiGroups: ['selvedge.io'], resources: ['unitapps/finalizers'], verbs: ['update'] },
  },
  {
    reason: 'What people are told about units and UnitApps.',
    rule: { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
  },
];

/** What UnitApps are made of, wherever they are: the widest of all rights, so in a role of its own. */
export const unitAppRules: readonly Grant[] = [
  {
    reason: 'The clones of UnitApps.',
    rule: { apiGroups: ['apps'], resources: ['daemonsets', 'deployments', 'statefulsets'], verbs: making },
  },
  {
    reason:
      'What clones read and are reached by. Of Secrets only those with the label of a UnitApp are read; RBAC cannot say so, and allows all.',
    rule: { apiGroups: [''], resources: ['configmaps', 'secrets', 'services'], verbs: making },
  },
  {
    reason: 'The autoscalers of clones.',
    rule: { apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'], verbs: making },
  },
  {
    reason: 'The revisions of UnitApps.',
    rule: {
      apiGroups: ['apps'],
      resources: ['controllerrevisions'],
      verbs: ['get', 'list', 'watch', 'create', 'delete'],
    },
  },
  {
    reason: 'How often containers of a new revision restart.',
    rule: { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
  },
];
