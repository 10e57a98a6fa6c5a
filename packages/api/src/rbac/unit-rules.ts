import type { Grant } from './hub-rules.ts';

/** What the unit-controller needs, in whose name it ever runs. */
export const unitRules: readonly Grant[] = [
  {
    reason: 'The units, and the finalizer that keeps one until its members have nothing of it.',
    rule: { apiGroups: ['selvedge.io'], resources: ['edgeunits'], verbs: ['list', 'watch', 'patch'] },
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
    reason: 'What people are told about units.',
    rule: { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] },
  },
];
