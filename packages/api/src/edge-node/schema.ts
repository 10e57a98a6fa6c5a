import { autonomySchema } from '../autonomy.ts';
import { unitName } from '../common.ts';
import type { ObjectSchema, Schema } from '../schema.ts';

const serverName = '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$';
const addressAndPort = String.raw`^([0-9.]+|\\[[0-9a-fA-F:.]+\\]):[0-9]{1,5}$`;

export const edgeNodeSpecSchema = {
  type: 'object',
  description: 'What the cloud has decided about the node.',
  default: {},
  properties: {
    banned: {
      type: 'boolean',
      default: false,
      description:
        'The node is not trusted any more: its tunnel sessions end at once, admission denies what it writes, its certificate requests are denied.',
    },
    autonomy: autonomySchema("that of the node's unit, else the cluster's"),
  },
} as const satisfies ObjectSchema;

const session = {
  type: 'object',
  description: 'One open session.',
  required: ['server', 'id', 'direction', 'state', 'carrier', 'since', 'version', 'remote'],
  properties: {
    server: {
      type: 'string',
      description: 'The tunnel server that holds it, which is the name of its Lease.',
      minLength: 1,
      maxLength: 253,
      'x-kubernetes-validations': [
        { rule: `self.matches('${serverName}')`, message: 'must be a lower-case RFC 1123 name' },
      ],
    },
    id: {
      type: 'string',
      description: 'Unique in one run of the server.',
      minLength: 1,
      maxLength: 63,
    },
    carrier: {
      type: 'string',
      enum: ['tls', 'websocket'],
      description: 'How its bytes travel: TLS on TCP, or TLS inside a WebSocket.',
    },
    direction: {
      type: 'string',
      enum: ['reverse', 'forward'],
      description: 'Who opens streams: the server, to reach the node, or the node, to reach cloud services.',
    },
    state: {
      type: 'string',
      enum: ['provisional', 'live', 'draining'],
      description:
        'Provisional: an older session is not known to be dead yet. Draining: no new streams, those that run may end.',
    },
    since: { type: 'string', format: 'date-time', description: 'When it was opened.' },
    version: {
      type: 'integer',
      format: 'int32',
      minimum: 1,
      description: 'Of the tunnel protocol.',
    },
    remote: {
      type: 'string',
      description: 'From where the server sees it come: address and port.',
      maxLength: 64,
      'x-kubernetes-validations': [
        {
          rule: `self.matches('${addressAndPort}')`,
          message: 'must be an IP address and a port, such as 203.0.113.7:50412 or [2001:db8::7]:50412',
        },
      ],
    },
  },
} as const satisfies Schema;

/** In the order of what they mean for pods: from none to failing over. */
export const nodeStates = ['Connected', 'Vouched', 'Autonomous', 'Expired', 'Dead'] as const;

const witness = {
  type: 'object',
  description: 'One member of the unit and what it saw.',
  required: ['node', 'at', 'alive'],
  properties: {
    node: { type: 'string', description: 'Who says it.', minLength: 1, maxLength: 253 },
    at: { type: 'string', format: 'date-time', description: 'When it looked.' },
    alive: { type: 'boolean', description: "Whether the node's kubelet was alive." },
  },
} as const satisfies Schema;

const pushed = {
  type: 'object',
  description:
    'What the unit-controller has set, or is about to set, on the Node, and takes away when the node leaves the unit. Recorded here because a node may write the annotations and field managers of its own Node.',
  required: ['name'],
  properties: {
    name: unitName,
    nodeUid: {
      type: 'string',
      maxLength: 63,
      description: 'Of the Node that has it: a later one of the same name has nothing of it.',
    },
    // All that a unit gives, thrice: with what that takes the place of, and what was left when a server died meanwhile.
    fields: {
      type: 'array',
      maxItems: 256,
      'x-kubernetes-list-type': 'atomic',
      description: 'Such as labels[tier], taints[example.org/shop:NoSchedule] or unschedulable.',
      items: { type: 'string', description: 'A field of the Node.', maxLength: 400 },
    },
  },
} as const satisfies Schema;

export const edgeNodeStatusSchema = {
  type: 'object',
  description: 'What the cloud sees of the node.',
  properties: {
    state: {
      type: 'string',
      enum: nodeStates,
      description:
        'Connected: its own lease is fresh. Vouched: its link is down, peers see it alive. Autonomous: its unit is cut off, within the period of autonomy. Expired: the period is over. Dead: peers saw it dead.',
    },
    since: { type: 'string', format: 'date-time', description: 'When it came into this state.' },
    reason: { type: 'string', maxLength: 128, description: 'Why, one word in CamelCase.' },
    message: { type: 'string', maxLength: 1024, description: 'Why, for people.' },
    witnesses: {
      type: 'array',
      description: 'What members of the unit said last.',
      maxItems: 16,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['node'],
      items: witness,
    },
    unit: pushed,
    sessions: {
      type: 'array',
      description: 'Its tunnel sessions. Each server writes its own.',
      maxItems: 256,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['server', 'id'],
      items: session,
    },
    sessionCount: {
      type: 'integer',
      format: 'int32',
      minimum: 0,
      description: 'How many sessions there are. Written by the leader.',
    },
  },
} as const satisfies ObjectSchema;
