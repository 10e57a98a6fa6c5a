import { conditions, count, nodeName, observedGeneration, unitName } from '../common.ts';
import { nodeStates } from '../edge-node/schema.ts';
import type { ArraySchema, ObjectSchema } from '../schema.ts';

const statusMembers = {
  type: 'array',
  description: 'The Nodes that belong to the unit, by name. Hubs learn their peers from it.',
  maxItems: 1_000,
  'x-kubernetes-list-type': 'atomic',
  items: {
    type: 'object',
    description: 'One of them.',
    required: ['name'],
    properties: {
      name: nodeName,
      addresses: {
        type: 'array',
        description: 'Its internal addresses.',
        maxItems: 8,
        'x-kubernetes-list-type': 'atomic',
        items: { type: 'string', maxLength: 64, description: 'An IP address.' },
      },
      state: { type: 'string', enum: nodeStates, description: 'As its EdgeNode says.' },
    },
  },
} as const satisfies ArraySchema;

const conflicts = {
  type: 'array',
  description: 'What could not be done because somebody else was first, the first 64.',
  maxItems: 64,
  'x-kubernetes-list-type': 'atomic',
  items: {
    type: 'object',
    description: 'One conflict.',
    required: ['node'],
    properties: {
      node: nodeName,
      unit: { ...unitName, description: 'The older unit that has the node.' },
      fields: {
        type: 'array',
        description: 'Labels, annotations and taints that somebody else has given another value.',
        maxItems: 8,
        'x-kubernetes-list-type': 'atomic',
        items: { type: 'string', maxLength: 400, description: 'Such as labels[tier].' },
      },
    },
  },
} as const satisfies ArraySchema;

export const edgeUnitStatusSchema = {
  type: 'object',
  description: 'What has become of the unit.',
  properties: {
    observedGeneration,
    members: statusMembers,
    counts: {
      type: 'object',
      description: 'How many.',
      required: ['members', 'settled', 'missing', 'conflicts'],
      properties: {
        members: count('Nodes that belong to the unit.'),
        settled: count('Of them, those that have all that the unit gives.'),
        missing: count('Names without a Node.'),
        conflicts: count('Nodes with a conflict.'),
        connected: count('Members in the state Connected.'),
        vouched: count('Members in the state Vouched.'),
        autonomous: count('Members in the state Autonomous.'),
        expired: count('Members in the state Expired.'),
        dead: count('Members in the state Dead.'),
      },
    },
    conflicts,
    conditions,
  },
} as const satisfies ObjectSchema;
