import { autonomySchema } from '../autonomy.ts';
import {
  cron,
  isLabelValue,
  isName,
  keysAreNames,
  labelMap,
  labelSelector,
  nodeName,
  stringMap,
  timeZone,
  valuesAreLabels,
} from '../common.ts';
import type { ArraySchema, ObjectSchema } from '../schema.ts';

/** What the kubelet may not write on its own Node. Source: the admission plugin NodeRestriction. */
const cloudOwned = String.raw`^(([-a-z0-9.]+\\.)?node-restriction|node-role)\\.kubernetes\\.io/`;
/** What others set, and what this unit sets by fields of its own. */
const reserved = String.raw`^(kubernetes\\.io/hostname|topology\\.kubernetes\\.io/zone|selvedge\\.node-restriction\\.kubernetes\\.io/.*|([-a-z0-9.]+\\.)?selvedge\\.io/.*)$`;

const cloudOwnedMessage =
  'only labels that nodes cannot write select members: those under node-restriction.kubernetes.io/, its subdomains, and node-role.kubernetes.io/';

const members = {
  type: 'object',
  description: 'Which nodes belong to the unit. A node that two units want belongs to the older one.',
  default: {},
  properties: {
    names: {
      type: 'array',
      description: 'Names of Nodes; those that do not exist yet join when they do.',
      maxItems: 1_000,
      'x-kubernetes-list-type': 'set',
      items: nodeName,
    },
    nodeSelector: labelSelector('Nodes with these labels.', [
      {
        rule: `(!has(self.matchLabels) || self.matchLabels.all(key, key.matches('${cloudOwned}'))) && (!has(self.matchExpressions) || self.matchExpressions.all(one, one.key.matches('${cloudOwned}')))`,
        message: cloudOwnedMessage,
      },
      {
        rule: '(has(self.matchLabels) && size(self.matchLabels) > 0) || (has(self.matchExpressions) && size(self.matchExpressions) > 0)',
        message: 'an empty selector would take every node of the cluster: name at least one label',
      },
    ]),
  },
  'x-kubernetes-validations': [
    {
      rule: '!(has(self.names) && has(self.nodeSelector))',
      message: 'give either names or nodeSelector, not both',
    },
  ],
} as const satisfies ObjectSchema;

const taints = {
  type: 'array',
  description: 'Taints that members get, and lose when they leave.',
  maxItems: 16,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['key', 'effect'],
  items: {
    type: 'object',
    description: 'One taint.',
    required: ['key', 'effect'],
    properties: {
      key: {
        type: 'string',
        minLength: 1,
        maxLength: 317,
        description: 'Its key.',
        'x-kubernetes-validations': [
          isName,
          {
            rule: String.raw`!self.matches('^(node\\.kubernetes\\.io|node\\.cloudprovider\\.kubernetes\\.io|([-a-z0-9.]+\\.)?selvedge\\.io)/')`,
            message: 'this key is set by Kubernetes or by Selvedge itself',
          },
        ],
      },
      value: {
        type: 'string',
        maxLength: 63,
        description: 'Its value. Default: none.',
        'x-kubernetes-validations': [isLabelValue],
      },
      effect: {
        type: 'string',
        enum: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'],
        description: 'What it does to pods that do not tolerate it.',
      },
    },
  },
} as const satisfies ArraySchema;

const maintenanceWindows = {
  type: 'array',
  description: 'When workloads of the unit may be changed by rollouts. Default: at any time.',
  maxItems: 16,
  'x-kubernetes-list-type': 'atomic',
  items: {
    type: 'object',
    description: 'One window, opened again and again.',
    required: ['cron', 'durationMinutes'],
    properties: {
      cron,
      durationMinutes: {
        type: 'integer',
        format: 'int32',
        minimum: 1,
        maximum: 10_080,
        description: 'How long it stays open.',
      },
      timeZone,
    },
  },
} as const satisfies ArraySchema;

export const edgeUnitSpecSchema = {
  type: 'object',
  description: 'What belongs to the unit, and what its members get.',
  default: {},
  properties: {
    members,
    labels: {
      ...labelMap(
        'Labels that members get, and lose when they leave. A label that somebody else set stays as it is.',
      ),
      'x-kubernetes-validations': [
        keysAreNames,
        valuesAreLabels,
        {
          rule: `self.all(key, !key.matches('${reserved}'))`,
          message:
            'kubernetes.io/hostname, labels of selvedge.io and the label of the unit are not to be set; for topology.kubernetes.io/zone there is spec.zone',
        },
      ],
    },
    annotations: {
      ...stringMap('Annotations that members get, and lose when they leave.', 32),
      'x-kubernetes-validations': [
        keysAreNames,
        {
          rule: String.raw`self.all(key, !key.matches('^([-a-z0-9.]+\\.)?selvedge\\.io/'))`,
          message: 'annotations of selvedge.io are not to be set',
        },
      ],
    },
    taints,
    unschedulable: {
      type: 'boolean',
      default: false,
      description: 'Members are cordoned. Those that somebody else cordoned stay so when it ends.',
    },
    zone: {
      type: 'string',
      maxLength: 63,
      description:
        "The value of topology.kubernetes.io/zone on members, whatever it was before, so that the cluster's limits on evictions in a zone are limits in this unit. Default: the name of the unit. Empty: the label is left alone.",
      'x-kubernetes-validations': [isLabelValue],
    },
    autonomy: autonomySchema("the cluster's"),
    uplinkSharing: {
      type: 'boolean',
      default: false,
      description:
        'A wish that members lend their uplink to members that lost theirs. Recorded and shown, for hubs that share uplinks; those of this version do not.',
    },
    maintenanceWindows,
    deletionPolicy: {
      type: 'string',
      enum: ['refuse', 'release'],
      default: 'refuse',
      description:
        'What becomes of members when the unit is deleted. refuse: a unit that has members is not deleted. release: they lose what the unit gave them, then it goes.',
    },
  },
} as const satisfies ObjectSchema;
