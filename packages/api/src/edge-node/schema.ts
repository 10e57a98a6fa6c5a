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

export const edgeNodeStatusSchema = {
  type: 'object',
  description: 'What the cloud sees of the node.',
  properties: {
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
