/** What API servers take and refuse of our custom resources: what it is, the spec, and for what is refused the reason. */

type Fields = Readonly<Record<string, unknown>>;
type Taken = readonly (readonly [what: string, spec: Fields])[];
type Refused = readonly (readonly [what: string, spec: Fields, reason: RegExp])[];

export const container = { name: 'till', image: 'till:1' };
export const template = {
  kind: 'Deployment',
  spec: { replicas: 2, template: { spec: { containers: [container] } } },
};

/** Specs of an EdgeUnit. */
export const takenUnits: Taken = [
  ['members by name', { members: { names: ['a', 'b.example.org'] } }],
  [
    'members by labels of the cloud',
    {
      members: {
        nodeSelector: {
          matchLabels: { 'shops.node-restriction.kubernetes.io/shop': '7' },
          matchExpressions: [{ key: 'node-role.kubernetes.io/till', operator: 'Exists' }],
        },
      },
    },
  ],
  ['no autonomy', { autonomy: 'off' }],
  ['a period of autonomy', { autonomy: '1h30m' }],
  [
    'labels, annotations and taints',
    {
      labels: { tier: 'gold', 'example.org/tier': '' },
      annotations: { 'example.org/contact': 'anne' },
      taints: [{ key: 'example.org/shop', value: '7', effect: 'NoSchedule' }],
    },
  ],
];

export const refusedUnits: Refused = [
  [
    'both kinds of members',
    { members: { names: ['a'], nodeSelector: { matchLabels: { 'node-role.kubernetes.io/x': '' } } } },
    /give either names or nodeSelector, not both/,
  ],
  [
    'a label that nodes may write',
    { members: { nodeSelector: { matchLabels: { 'example.org/shop': '7' } } } },
    /only labels that nodes cannot write select members/,
  ],
  [
    'such a label in an expression',
    {
      members: {
        nodeSelector: {
          matchExpressions: [{ key: 'evil.org/node-restriction.kubernetes.io/x', operator: 'Exists' }],
        },
      },
    },
    /only labels that nodes cannot write select members/,
  ],
  ['an empty selector', { members: { nodeSelector: {} } }, /would take every node of the cluster/],
  [
    'an expression without values',
    {
      members: {
        nodeSelector: { matchExpressions: [{ key: 'node-role.kubernetes.io/x', operator: 'In' }] },
      },
    },
    /In and NotIn need values/,
  ],
  ['a value that no label has', { labels: { tier: 'a b' } }, /a value has at most 63 characters/],
  ['a key that no label has', { labels: { 'a b': 'x' } }, /a key is a name of at most 63 characters/],
  ['a zone that no label has', { zone: 'a b' }, /a value has at most 63 characters/],
  ['the key of no taint', { taints: [{ key: 'a b', effect: 'NoExecute' }] }, /a key is a name/],
  ['the label of the zone', { labels: { 'topology.kubernetes.io/zone': 'a' } }, /there is spec.zone/],
  [
    'the label of the unit',
    { labels: { 'selvedge.node-restriction.kubernetes.io/unit': 'a' } },
    /are not to be set/,
  ],
  ['our annotations', { annotations: { 'selvedge.io/x': 'a' } }, /annotations of selvedge.io/],
  [
    'a taint of Kubernetes',
    { taints: [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] },
    /set by Kubernetes or by Selvedge itself/,
  ],
  [
    'one taint twice',
    {
      taints: [
        { key: 'a', effect: 'NoExecute' },
        { key: 'a', value: 'b', effect: 'NoExecute' },
      ],
    },
    /Duplicate value/,
  ],
  ['a period in days', { autonomy: '3d' }, /must be off, forever, or a duration/],
  ['an empty period', { autonomy: '' }, /should be at least 1 chars long/],
  ['another policy', { deletionPolicy: 'drain' }, /Unsupported value: "drain"/],
  [
    'a window without fields',
    { maintenanceWindows: [{ cron: 'every night', durationMinutes: 60 }] },
    /must have five fields/,
  ],
  [
    'a window without length',
    { maintenanceWindows: [{ cron: '0 2 * * *', durationMinutes: 0 }] },
    /greater than or equal to 1/,
  ],
];

/** What is laid over the least spec of a UnitApp. */
export const takenApps: Taken = [
  [
    'everything at once',
    {
      service: { shared: true, spec: { ports: [{ port: 80 }] } },
      configMaps: [{ name: 'settings', data: { shop: '{{unit.name}}' } }],
      secrets: [{ name: 'key', stringData: { key: 'x' } }],
      unitSelector: { matchExpressions: [{ key: 'region', operator: 'In', values: ['north'] }] },
      overrides: [
        {
          name: 'big',
          units: ['shop-1'],
          replicas: 5,
          containers: [
            {
              name: 'till',
              image: 'till:2',
              env: [{ name: 'A', value: '{{unit.labels.tier}}' }],
              resources: { limits: { cpu: '1' } },
            },
          ],
          strategicMerge: { spec: { template: { spec: { hostNetwork: true } } } },
          jsonPatch: [
            { op: 'add', path: '/spec/paused', value: false },
            { op: 'remove', path: '/spec/paused' },
          ],
        },
      ],
      scaling: { schedules: [{ name: 'open', cron: '0 8 * * *', timeZone: 'Europe/Berlin', replicas: 3 }] },
      unmanagedFields: ['/spec/replicas', '/spec/template/metadata/annotations'],
      rollout: {
        waves: [
          { name: 'canary', unitSelector: { matchLabels: { canary: 'yes' } } },
          { name: 'half', percentage: 50 },
        ],
        maxUnavailableUnits: 2,
        healthGate: {
          metric: {
            url: 'https://metrics.example.org/api/v1/query?query=errors{unit="{{unit.name}}"}',
            field: '/data/result/0/value/1',
            atMost: '0.01',
          },
        },
      },
      rollbackTo: 3,
    },
  ],
  ['metrics that scale', { scaling: { horizontal: { maxReplicas: 4, metrics: [{ type: 'Resource' }] } } }],
];

const wave = (fields: Fields): Fields => ({ rollout: { waves: [{ name: 'one', ...fields }] } });
const override = (fields: Fields): Fields => ({
  overrides: [{ name: 'one', units: ['shop-1'], ...fields }],
});

export const refusedApps: Refused = [
  ['another kind', { template: { kind: 'Job', spec: {} } }, /Unsupported value: "Job"/],
  ['a template without a spec', { template: { kind: 'Deployment' } }, /spec.template.spec: Required value/],
  [
    'a DaemonSet that is scaled',
    { template: { ...template, kind: 'DaemonSet' }, scaling: { horizontal: { maxReplicas: 2 } } },
    /it cannot be scaled/,
  ],
  [
    'two ways to scale',
    {
      scaling: {
        horizontal: { maxReplicas: 2 },
        schedules: [{ name: 'a', cron: '0 8 * * *', replicas: 1 }],
      },
    },
    /give either schedules or horizontal/,
  ],
  [
    'bounds the wrong way round',
    { scaling: { horizontal: { minReplicas: 3, maxReplicas: 2 } } },
    /minReplicas is more than maxReplicas/,
  ],
  ['a wave of nothing', wave({}), /a wave has either unitSelector or percentage/],
  ['a wave of both', wave({ unitSelector: {}, percentage: 5 }), /a wave has either/],
  ['no units at a time', { rollout: { maxUnavailableUnits: 0 } }, /must be a number of at least 1/],
  ['less than no units', { rollout: { maxUnavailableUnits: '0%' } }, /a percentage from 1% to 100%/],
  [
    'a metric without bounds',
    { rollout: { healthGate: { metric: { url: 'https://a', field: '/a' } } } },
    /give atLeast, atMost or both/,
  ],
  [
    'a bound that is no number',
    { rollout: { healthGate: { metric: { url: 'https://a', field: '/a', atMost: 'few' } } } },
    /must be a decimal number in quotes/,
  ],
  [
    'a metric in a file',
    { rollout: { healthGate: { metric: { url: 'file:///etc', field: '/a', atMost: '1' } } } },
    /must be an http or https URL/,
  ],
  ['an override of no units', override({ units: undefined }), /give either units or unitSelector/],
  ['an override of both', override({ unitSelector: {} }), /give either units or unitSelector/],
  [
    'a move from nowhere',
    override({ jsonPatch: [{ op: 'move', path: '/spec/a' }] }),
    /move and copy have from/,
  ],
  ['a relative pointer', override({ jsonPatch: [{ op: 'remove', path: 'spec' }] }), /begins with \//],
  ['unmanaged identities', { unmanagedFields: ['/metadata/name'] }, /must be a JSON pointer under \/spec/],
  ['an unmanaged revision', { unmanagedFields: ['/metadata/labels/selvedge.io~1revision'] }, /is known by/],
  [
    'unmanaged labels of pods',
    { unmanagedFields: ['/spec/template/metadata/labels/selvedge.io~1unit'] },
    /is known by/,
  ],
  ['an unmanaged selector', { unmanagedFields: ['/spec/selector/matchLabels'] }, /is known by/],
  ['an unmanaged template', { unmanagedFields: ['/spec/template'] }, /is known by/],
  ['a revision zero', { rollbackTo: 0 }, /greater than or equal to 1/],
  [
    'a time zone of no form',
    { scaling: { schedules: [{ name: 'a', cron: '0 8 * * *', timeZone: '+02:00', replicas: 1 }] } },
    /must be the name of a time zone/,
  ],
];
