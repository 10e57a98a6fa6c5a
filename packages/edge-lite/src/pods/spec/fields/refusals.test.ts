import { describe, expect, it } from 'vitest';
import type { PodSpec } from '@selvedge/kube/types';

import { containerWith, podWith } from '../../testing.ts';
import { podRules } from './pod-rules.ts';
import { refusals } from './refusals.ts';
import type { Rule } from './rule.ts';

const fieldsOf = (spec: Partial<PodSpec>): readonly string[] =>
  refusals(podWith(spec)).map(({ field }) => field);
const volume = { name: 'v' };

describe('refusals', () => {
  it('let an ordinary pod pass, as the API server completes it', () => {
    const spec: PodSpec = {
      volumes: [
        {
          name: 'token',
          projected: {
            defaultMode: 420,
            sources: [
              { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
              { configMap: { name: 'kube-root-ca.crt' } },
              { downwardAPI: { items: [] } },
            ],
          },
        },
        { name: 'tmp', emptyDir: {} },
        { name: 'ram', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        { name: 'host', hostPath: { path: '/dev', type: '' } },
      ],
      containers: [
        containerWith({
          resources: {
            limits: { cpu: '1', memory: '1Gi', 'hugepages-2Mi': '2Mi', 'ephemeral-storage': '1Gi' },
          },
          volumeMounts: [{ name: 'tmp', mountPath: '/tmp', recursiveReadOnly: 'Disabled' }],
          livenessProbe: { httpGet: { path: '/', port: 'web' }, periodSeconds: 10 },
          lifecycle: { preStop: { sleep: { seconds: 1 } } },
          imagePullPolicy: 'Always',
          terminationMessagePath: '/dev/termination-log',
          volumeDevices: [],
        }),
      ],
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: 'default',
      serviceAccount: 'default',
      securityContext: {},
      schedulerName: 'default-scheduler',
      tolerations: [{ key: 'x', operator: 'Exists' }],
      priority: 0,
      enableServiceLinks: true,
      preemptionPolicy: 'PreemptLowerPriority',
      nodeName: 'gate-1',
      os: { name: 'linux' },
      hostUsers: true,
      runtimeClassName: '',
      overhead: {},
    };
    expect(refusals(podWith(spec))).toEqual([]);
  });

  it.each<[string, Partial<PodSpec>]>([
    ['spec.runtimeClassName', { runtimeClassName: 'gvisor' }],
    ['spec.hostUsers', { hostUsers: false }],
    ['spec.resourceClaims', { resourceClaims: [{ name: 'gpu' }] }],
    ['spec.resources', { resources: { limits: { cpu: '1' } } }],
    [
      'spec.securityContext.sysctls[0].name',
      { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } },
    ],
    [
      'spec.securityContext.supplementalGroupsPolicy',
      { securityContext: { supplementalGroupsPolicy: 'Strict' } },
    ],
    ['spec.securityContext.seLinuxOptions', { securityContext: { seLinuxOptions: { level: 's0' } } }],
    [
      'spec.volumes[1].persistentVolumeClaim',
      { volumes: [volume, { name: 'c', persistentVolumeClaim: { claimName: 'c' } }] },
    ],
    ['spec.volumes[0].emptyDir.medium', { volumes: [{ ...volume, emptyDir: { medium: 'HugePages' } }] }],
    [
      'spec.volumes[0].projected.sources[0].clusterTrustBundle',
      { volumes: [{ ...volume, projected: { sources: [{ clusterTrustBundle: { path: 'x' } }] } }] },
    ],
    [
      'spec.containers[0].volumeDevices',
      { containers: [containerWith({ volumeDevices: [{ name: 'v', devicePath: '/dev/x' }] })] },
    ],
    [
      'spec.containers[0].resources.limits[example.com/gpu]',
      { containers: [containerWith({ resources: { limits: { 'example.com/gpu': '1' } } })] },
    ],
    [
      'spec.containers[0].volumeMounts[0].recursiveReadOnly',
      {
        containers: [
          containerWith({ volumeMounts: [{ name: 'v', mountPath: '/v', recursiveReadOnly: 'Enabled' }] }),
        ],
      },
    ],
    [
      'spec.initContainers[0].securityContext.appArmorProfile.type',
      {
        initContainers: [containerWith({ securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } })],
      },
    ],
    [
      'spec.containers[0].restartPolicyRules[0].action',
      { containers: [containerWith({ restartPolicyRules: [{ action: 'RestartAllContainers' }] })] },
    ],
  ])('name %s', (field, spec) => {
    expect(fieldsOf(spec)).toEqual([field]);
  });

  it('name a field that the API gains', () => {
    const spec = { containers: [{ ...containerWith(), teleport: {} }], wormhole: true };
    expect(fieldsOf(spec)).toEqual(['spec.containers[0].teleport', 'spec.wormhole']);
  });

  it('say why', () => {
    const [first] = refusals(podWith({ runtimeClassName: 'gvisor' }));
    expect(first?.message).toBe('spec.runtimeClassName is not supported on this node: runtime classes');
  });
});

/** Lists hold several of what is below them. */
const lists = new Set([
  'containers',
  'initContainers',
  'volumes',
  'env',
  'volumeMounts',
  'restartPolicyRules',
  'sources',
  'sysctls',
]);

function rows(path: string, rules: Readonly<Record<string, Rule>>): readonly string[] {
  const names = Object.keys(rules).toSorted();
  return names.flatMap((name) => {
    const rule = rules[name] ?? { support: 'refused' };
    const field = `${path}.${name}`;
    // The same rules as those of containers.
    if (name === 'initContainers') return [`| \`${field}\` | supported | as \`spec.containers\` |`];
    const values = rule.only?.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
    const note = [values === undefined ? undefined : `only ${values}`, rule.note].filter(
      (part) => part !== undefined,
    );
    const own = `| \`${field}\` | ${rule.support} | ${note.join('; ')} |`;
    return [own, ...rows(lists.has(name) ? `${field}[]` : field, rule.fields ?? {})];
  });
}

const page = `# Pod fields

What a lite node makes of every field of a pod's \`spec\`. A pod with a field that is *refused*, with a value that is not
listed, or with a field that the node has never heard of is not started: it fails with the reason \`PodFeatureUnsupported\` and
a message that names the fields. *Ignored* fields are not the node's business, or change nothing here. What is below a
supported field without rows of its own is supported as a whole.

| field | | notes |
| --- | --- | --- |
${rows('spec', podRules).join('\n')}
`;

describe('docs/reference/pod-fields.md', () => {
  it('lists every field as the node treats it', async () => {
    await expect(page).toMatchFileSnapshot('../../../../../../docs/reference/pod-fields.md');
  });
});
