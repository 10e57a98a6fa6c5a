import { describe, expect, test } from 'vitest';
import { kubeadmManifest } from './egress/testing-manifest.ts';
import { zoneBlock } from './dns/index.ts';
import { allOf, desiredObjects } from './desired.ts';
import { placeKey, placeOf } from './inventory/index.ts';
import { ownNamespace } from './objects/cloud.ts';
import { markedAsMade } from './objects/metadata.ts';
import { planCloud } from './plan.ts';
import type { CloudOptions, CloudPlan, CloudSeen, ControlPlaneMachine } from './types.ts';

const now = Date.UTC(2026, 0, 1);
const dayMs = 86_400_000;
const options: CloudOptions = {
  tunnelServers: [{ host: 'tunnel.example.com', port: 443 }],
  mode: 'auto',
  dns: true,
  values: {},
};
const corefile = '.:53 {\n    reload\n}\n';

const machine = (
  name: string,
  more: Partial<Extract<ControlPlaneMachine, { kind: 'open' }>> = {},
): ControlPlaneMachine => ({
  kind: 'open',
  machine: { name, addresses: ['10.0.0.1'] },
  address: '10.0.0.1',
  arch: 'amd64',
  manifest: kubeadmManifest,
  ca: 'PEM',
  certificate: undefined,
  signs: false,
  ipv6: true,
  runs: { manager: 'none', egress: 'none' },
  ...more,
});

const manifestWithEgress = ({ egress }: { readonly egress: 'none' | 'begun' | 'done' }): string =>
  egress === 'none'
    ? kubeadmManifest
    : kubeadmManifest.replace(
        '--allow-privileged=true',
        '--egress-selector-config-file=/etc/kubernetes/egress-selector.yaml',
      );

const place = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespace: 'kube-system',
  name: 'coredns',
};

const seen = (more: Partial<CloudSeen> = {}): CloudSeen => ({
  now,
  version: 'v1.36.3',
  controlPlanes: [],
  nodes: [],
  nodesRenew: true,
  objects: new Map(),
  certificate: undefined,
  tunnelCa: undefined,
  zone: { kind: 'corefile', place, key: 'Corefile', text: corefile, reloads: true },
  inventory: undefined,
  clusterDomain: 'cluster.local',
  ready: false,
  viaKubelet: false,
  ...more,
});

const whats = (plan: CloudPlan, where: string): readonly string[] =>
  plan.parts.filter((part) => part.where === where).flatMap(({ changes }) => changes.map(({ what }) => what));
const kinds = (plan: CloudPlan): readonly string[] => [...new Set(plan.changes.map(({ kind }) => kind))];
const certificate = {
  pem: 'CERTIFICATE',
  names: ['tunnel.example.com', 'cloud-manager.selvedge-system.svc'],
  isOurs: true,
  notBefore: now - 10 * dayMs,
  notAfter: now + 355 * dayMs,
  ca: 'PEM',
};

describe('where cloud-manager runs', () => {
  const closed: ControlPlaneMachine = {
    kind: 'closed',
    machine: { name: 'c2', addresses: [] },
    why: 'no way in',
  };

  test.each<[string, CloudSeen['controlPlanes'], CloudPlan['mode']]>([
    ['the control plane is hosted', [], 'deployment'],
    ['all machines are kubeadm’s', [machine('c1'), machine('c2')], 'unit'],
    ['one cannot be entered', [machine('c1'), closed], 'deployment'],
    ['one is not kubeadm’s', [machine('c1'), machine('c2', { manifest: undefined })], 'deployment'],
  ])('%s', (_case, controlPlanes, mode) => {
    expect(planCloud(options, seen({ controlPlanes })).mode).toBe(mode);
  });

  test('a unit that cannot be is refused, and says why', () => {
    const wanted = { ...options, mode: 'unit' } as const;
    expect(() => planCloud(wanted, seen({ controlPlanes: [machine('c1'), closed] }))).toThrow(
      expect.objectContaining({ code: 'Unsupported', hint: expect.stringContaining('c2: no way in') }),
    );
    expect(() => planCloud(wanted, seen())).toThrow(expect.objectContaining({ code: 'Unsupported' }));
  });

  test('what was installed one way is not installed the other way beside it', () => {
    const inventory = { version: '0', mode: 'unit', complete: true, tunnelServers: [], entries: [] } as const;
    expect(() => planCloud(options, seen({ inventory }))).toThrow(
      expect.objectContaining({ code: 'Conflict' }),
    );
  });

  test('a control plane that joined and cannot be entered is told, and what helps', () => {
    const inventory = { version: '0', mode: 'unit', complete: true, tunnelServers: [], entries: [] } as const;
    expect(() => planCloud(options, seen({ controlPlanes: [machine('c1'), closed], inventory }))).toThrow(
      expect.objectContaining({
        code: 'Unsupported',
        message: expect.stringMatching(/each API server: c2$/),
        hint: expect.stringMatching(/^c2: no way in; .*kubectl delete node/),
      }),
    );
  });

  test('what is no value of the chart is refused', () => {
    expect(() => planCloud({ ...options, values: { replica: 3 } }, seen())).toThrow(
      expect.objectContaining({ code: 'Invalid', message: expect.stringContaining('replica') }),
    );
  });

  test('nodes have to connect somewhere', () => {
    expect(() => planCloud({ ...options, tunnelServers: [] }, seen())).toThrow(
      expect.objectContaining({ code: 'Invalid' }),
    );
  });
});

describe('the plan', () => {
  test('of units: each machine runs one before the first API server goes through it, and CoreDNS is told last', () => {
    const plan = planCloud(options, seen({ controlPlanes: [machine('c1'), machine('c2')] }));
    const order = plan.changes.flatMap((one) =>
      one.kind === 'machine' ? [`${one.phase} ${one.machine.name}`] : [],
    );
    expect(order).toEqual(['manager c1', 'manager c2', 'egress c1', 'egress c2']);
    expect(plan.changes.slice(-2).map(({ kind }) => kind)).toEqual(['zone', 'record']);
    expect(whats(plan, 'control plane c1')).toHaveLength(2);
    expect(plan.instructions).toEqual([]);
    expect(plan.warnings).toHaveLength(1);
  });

  test('of units restarts no API server through which machines are entered', () => {
    const plan = (runs: { readonly egress: 'none' | 'done' }): CloudPlan => {
      const controlPlanes = [
        machine('c1', { manifest: manifestWithEgress(runs), runs: { manager: 'done', ...runs } }),
      ];
      const inventory = {
        version: '0.4.0',
        mode: 'unit',
        complete: true,
        tunnelServers: [],
        entries: [],
      } as const;
      return planCloud({ ...options, mode: 'unit' }, seen({ controlPlanes, inventory, viaKubelet: true }));
    };
    expect(() => plan({ egress: 'none' })).toThrow(
      expect.objectContaining({ code: 'Unsupported', message: expect.stringContaining('c1') }),
    );
    // What somebody did before by another way is as it shall be.
    expect(plan({ egress: 'done' }).mode).toBe('unit');
  });

  test('of a Deployment: instructions instead of an EgressSelector', () => {
    const plan = planCloud(options, seen());
    expect(kinds(plan)).toEqual(['object', 'certificate', 'ready', 'zone', 'record']);
    expect(plan.instructions.join()).toContain('egress-configuration');
    expect(whats(plan, 'cluster')[0]).toBe('create Namespace selvedge-system');
    expect(plan.changes.find(({ kind }) => kind === 'certificate')).toMatchObject({
      signer: { kind: 'own' },
    });
  });

  test('keeps a Deployment from edge nodes, those that become so too', () => {
    const nodes = ['edge-1', 'edge-2', 'cloud-1'].map((name) => ({
      metadata: { name, labels: { 'kubernetes.io/os': 'linux' } },
    }));
    const edge = ['edge-1', 'edge-2'];
    const plan = planCloud({ ...options, edge }, seen({ nodes }));
    expect(plan.changes.flatMap((one) => (one.kind === 'edge' ? [one.node] : []))).toEqual(edge);
    expect(kinds(plan).slice(0, 3)).toEqual(['object', 'edge', 'certificate']);
    const all = { ...options, edge: [...edge, 'cloud-1'] };
    expect(() => planCloud(all, seen({ nodes }))).toThrow(
      expect.objectContaining({
        code: 'Unsupported',
        message: expect.stringContaining('cloud-1: it becomes an edge node'),
      }),
    );
  });

  test('lets nodes renew their certificates where nobody did', () => {
    const making = (nodesRenew: boolean): readonly string[] =>
      planCloud(options, seen({ nodesRenew })).changes.flatMap((one) =>
        one.kind === 'object' && one.place.name.includes('rotation') ? [placeKey(one.place)] : [],
      );
    expect(making(false)).toEqual(['ClusterRoleBinding selvedge:node-autoapprove-rotation']);
    expect(making(true)).toEqual([]);
  });

  test('has the certificate signed where the key of the cluster’s CA is', () => {
    const controlPlanes = [machine('c1'), machine('c2', { signs: true })];
    const plan = planCloud(options, seen({ controlPlanes }));
    expect(plan.changes.find(({ kind }) => kind === 'certificate')).toMatchObject({
      signer: { kind: 'cluster', machine: { name: 'c2' } },
    });
  });

  test('has a Deployment’s signed by its own authority, whichever machines can be entered', () => {
    const controlPlanes = [machine('c1', { signs: true })];
    const plan = planCloud({ ...options, mode: 'deployment' }, seen({ controlPlanes }));
    expect(plan.changes.find(({ kind }) => kind === 'certificate')).toMatchObject({
      signer: { kind: 'own' },
    });
  });

  test('says what nodes will be told, and whether that is another authority than before', () => {
    const of = (more: Partial<CloudSeen>): readonly [string | undefined, boolean] => {
      const { tunnel, warnings } = planCloud(options, seen(more));
      return [tunnel.ca, warnings.some((text) => text.includes('signed by another CA'))];
    };
    const old = { ...certificate, notAfter: now + 3 * dayMs };
    const controlPlanes = [machine('c1', { signs: true })];
    expect(of({})).toEqual([expect.stringContaining('it is made before'), false]);
    expect(of({ controlPlanes })).toEqual([undefined, false]);
    expect(of({ certificate, tunnelCa: 'OWN' })).toEqual(['OWN', false]);
    expect(of({ certificate: old, tunnelCa: 'OWN' })).toEqual(['OWN', false]);
    expect(of({ certificate: old })).toEqual([expect.any(String), true]);
    expect(of({ controlPlanes, certificate: old, tunnelCa: 'OWN' })).toEqual([undefined, true]);
  });

  test('leaves a certificate of somebody else alone, and says what it lacks', () => {
    const others = { ...certificate, isOurs: false, names: ['other.example.com'] };
    const plan = planCloud(options, seen({ certificate: others }));
    expect(kinds(plan)).not.toContain('certificate');
    expect(plan.warnings.join()).toMatch(/not created by selvedge.*tunnel\.example\.com/);
  });

  test('goes on where a run before was interrupted', () => {
    const runs = { manager: 'done', egress: 'begun' } as const;
    const of = (manifest: string) =>
      planCloud(options, seen({ controlPlanes: [machine('c1', { runs, manifest })], certificate })).changes;
    const changes = [of(manifestWithEgress(runs)), of(kubeadmManifest)].flat();
    expect(changes.filter(({ kind }) => kind === 'machine')).toMatchObject([
      { phase: 'egress', renew: false },
      // It may have begun with another manifest, of which its steps are.
      { phase: 'egress', renew: true },
    ]);
  });

  test('sees once more to an API server that nobody has seen ready', () => {
    const runs = { manager: 'done', egress: 'done' } as const;
    const manifest = manifestWithEgress(runs);
    const plan = planCloud(
      options,
      seen({ controlPlanes: [machine('c1', { runs, manifest })], certificate }),
    );
    expect(plan.changes.filter(({ kind }) => kind === 'machine')).toMatchObject([{ phase: 'egress' }]);
  });

  test('edits the manifest of the one API server that somebody rewrote, and says so', () => {
    const runs = { manager: 'done', egress: 'done' } as const;
    const manifest = manifestWithEgress(runs);
    const controlPlanes = [
      machine('c1', { runs, manifest, certificate: certificate.pem }),
      machine('c2', { runs, certificate: certificate.pem }),
    ];
    const inventory = { version: '0', mode: 'unit', complete: true, tunnelServers: [], entries: [] } as const;
    const plan = planCloud(options, seen({ controlPlanes, certificate, inventory }));
    expect(plan.changes.filter(({ kind }) => kind === 'machine')).toMatchObject([
      { phase: 'egress', machine: { name: 'c2' }, renew: true },
    ]);
    expect(whats(plan, 'control plane c2')).toEqual([
      expect.stringContaining('no edit of an earlier run any more'),
    ]);
  });

  test('sets up the one control plane that joined since, and touches no other machine', () => {
    const runs = { manager: 'done', egress: 'done' } as const;
    const there = { runs, manifest: manifestWithEgress(runs), certificate: certificate.pem };
    const before = [machine('c1', there), machine('c2', { ...there, address: '10.0.0.2' })];
    const inventory = { version: '0', mode: 'unit', complete: true, tunnelServers: [], entries: [] } as const;
    const made = [ownNamespace, ...allOf(desiredObjects(options, before))];
    const of = (controlPlanes: CloudSeen['controlPlanes']): CloudPlan => {
      const wanted = new Map(
        allOf(desiredObjects(options, controlPlanes)).map((one) => [placeKey(placeOf(one)), one]),
      );
      const objects = new Map(
        made.map((one) => {
          const key = placeKey(placeOf(one));
          const live = markedAsMade(one);
          return [key, { live, applied: markedAsMade(wanted.get(key) ?? one), conflicts: [] }];
        }),
      );
      const zone = { ...seen().zone, text: `${corefile}${zoneBlock('cluster.local')}` } as CloudSeen['zone'];
      return planCloud(options, seen({ controlPlanes, objects, certificate, inventory, zone }));
    };
    expect(of(before).changes).toEqual([]);
    const { changes } = of([...before, machine('c3', { address: '10.0.0.3' })]);
    expect(changes).toMatchObject([
      {
        kind: 'object',
        what: 'change',
        place: { kind: 'EndpointSlice' },
        detail: [expect.stringContaining('endpoints')],
      },
      { kind: 'machine', phase: 'manager', machine: { name: 'c3' }, renew: false },
      { kind: 'machine', phase: 'egress', machine: { name: 'c3' }, renew: false },
      { kind: 'record' },
    ]);
  });

  test('renews a certificate on machines that run', () => {
    const runs = { manager: 'done', egress: 'done' } as const;
    const manifest = manifestWithEgress(runs);
    const old = { ...certificate, notAfter: now + 3 * dayMs };
    const inventory = { version: '0', mode: 'unit', complete: true, tunnelServers: [], entries: [] } as const;
    const at = (one: CloudSeen['certificate'], second = certificate.pem): CloudPlan['changes'] => {
      const controlPlanes = [certificate.pem, second].map((pem, index) =>
        machine(`c${index + 1}`, { runs, manifest, certificate: pem }),
      );
      const plan = planCloud(options, seen({ controlPlanes, certificate: one, inventory }));
      return plan.changes.filter(({ kind }) => kind === 'machine');
    };
    expect(at(old)).toMatchObject([{ renew: true }, { renew: true }]);
    expect(at(certificate)).toEqual([]);
    // A run that failed after it had renewed the Secret and the first machine.
    expect(at(certificate, 'THE LAST ONE')).toMatchObject([{ machine: { name: 'c2' }, renew: true }]);
  });
});

test('a Secret of somebody else is not changed: what it holds would have to be kept', () => {
  const controlPlanes = [machine('c1')];
  const secret = allOf(desiredObjects(options, controlPlanes)).find(({ kind }) => kind === 'Secret');
  if (secret === undefined) throw new Error('there is none');
  const live = { ...secret, data: { a: 'b' } };
  const objects = new Map([[placeKey(placeOf(secret)), { live, applied: secret, conflicts: [] }]]);
  expect(() => planCloud(options, seen({ controlPlanes, objects }))).toThrow(
    expect.objectContaining({
      code: 'Conflict',
      message: expect.stringContaining('not created by selvedge'),
    }),
  );
});

describe('the zone', () => {
  const zoneOf = (zone: CloudSeen['zone'], dns = true): CloudPlan['changes'] =>
    planCloud({ ...options, dns }, seen({ zone })).changes.filter(
      (one) => one.kind === 'zone' || (one.kind === 'object' && one.place.name === 'coredns-custom'),
    );
  const custom = {
    kind: 'custom',
    place: { ...place, name: 'coredns-custom' },
    key: 'selvedge.server',
  } as const;
  const block = zoneBlock('cluster.local');

  test.each<[string, CloudSeen['zone'], readonly object[]]>([
    ['a Corefile without it', seen().zone, [{ kind: 'zone', text: block }]],
    ['a Corefile with it', { ...seen().zone, text: `${corefile}${block}` } as CloudSeen['zone'], []],
    [
      'nothing of coredns-custom',
      { ...custom, text: undefined, isThere: false },
      [{ kind: 'object', what: 'make' }],
    ],
    [
      'coredns-custom with others',
      { ...custom, text: undefined, isThere: true },
      [{ kind: 'zone', text: block }],
    ],
    ['coredns-custom with it', { ...custom, text: block, isThere: true }, []],
    ['another DNS', { kind: 'unknown', why: 'no CoreDNS' }, []],
  ])('where there is %s', (_what, zone, changes) => {
    expect(zoneOf(zone)).toMatchObject(changes);
    expect(zoneOf(zone, false)).toEqual([]);
  });

  test('another DNS is for a person', () => {
    const plan = planCloud(options, seen({ zone: { kind: 'unknown', why: 'no CoreDNS' } }));
    expect(plan.instructions.join()).toContain('*.nodes.selvedge');
  });
});
