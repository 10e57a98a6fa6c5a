import { type PrinterColumn, customResourceDefinition } from '../custom-resource.ts';
import type { FromSchema } from '../schema.ts';
import { edgeNodeSpecSchema, edgeNodeStatusSchema } from './schema.ts';

export type EdgeNodeSpec = FromSchema<typeof edgeNodeSpecSchema>;
export type EdgeNodeStatus = FromSchema<typeof edgeNodeStatusSchema>;
/** What the cloud takes the node for. Source: architecture, "Autonomy and node state". */
export type NodeState = NonNullable<EdgeNodeStatus['state']>;
export type EdgeNodeWitness = NonNullable<EdgeNodeStatus['witnesses']>[number];
/** What a unit has pushed to the node, see `EdgeNode.status.unit`. */
export type PushedToNode = NonNullable<EdgeNodeStatus['unit']>;
export type EdgeNodeSession = NonNullable<EdgeNodeStatus['sessions']>[number];

/** What the cloud decides about, and sees of, the Node of the same name. Nodes cannot write it. */
export interface EdgeNode {
  readonly spec?: EdgeNodeSpec | undefined;
  readonly status?: EdgeNodeStatus | undefined;
}

/** Where EdgeNodes are in the API. */
export const edgeNodes = {
  apiVersion: 'selvedge.io/v1alpha1',
  kind: 'EdgeNode',
  plural: 'edgenodes',
  namespaced: false,
} as const;

const columns: readonly PrinterColumn[] = [
  {
    name: 'State',
    type: 'string',
    jsonPath: '.status.state',
    description: 'Connected, Vouched, Autonomous, Expired or Dead.',
  },
  {
    name: 'Unit',
    type: 'string',
    jsonPath: '.status.unit.name',
    description: 'The EdgeUnit that the node belongs to.',
  },
  {
    name: 'Banned',
    type: 'boolean',
    jsonPath: '.spec.banned',
    description: 'Whether the cloud refuses the node.',
  },
  {
    name: 'Sessions',
    type: 'integer',
    jsonPath: '.status.sessionCount',
    description: 'Open tunnel sessions.',
  },
  {
    name: 'Since',
    type: 'date',
    jsonPath: '.status.since',
    description: 'How long the node is in its state.',
    priority: 1,
  },
  {
    name: 'Server',
    type: 'string',
    jsonPath: '.status.sessions[0].server',
    description: 'A tunnel server that the node is connected to.',
    priority: 1,
  },
  {
    name: 'Remote',
    type: 'string',
    jsonPath: '.status.sessions[0].remote',
    description: 'From where it is connected.',
    priority: 1,
  },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Since when it is.' },
];

export const edgeNodeDefinition = customResourceDefinition({
  group: 'selvedge.io',
  kind: edgeNodes.kind,
  plural: edgeNodes.plural,
  shortNames: ['en'],
  scope: 'Cluster',
  description: 'What the cloud decides about, and sees of, the Node of the same name.',
  versions: [
    { name: 'v1alpha1', storage: true, spec: edgeNodeSpecSchema, status: edgeNodeStatusSchema, columns },
  ],
});
