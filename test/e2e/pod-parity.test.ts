import { resources } from '@selvedge/kube';
import type { Event, Pod } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PodInput, isReady, pod, running, shell, succeeded } from './support/pods.ts';
import { useSite } from './support/site.ts';

/** The same pods on a stock kubelet and on a lite node, with the same runtime: what is reported is compared. */
const site = useSite();
const [stock, lite] = ['parity-stock', 'lite-2'] as const;

/** What belongs to one machine, one moment, or one try: addresses, ids, times, how often and how long. */
const own: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^\d{4}-\d\d-\d\dT[\d:]{8}Z$/, '<time>'],
  [/^containerd:\/\/[0-9a-f]{64}$/, '<container>'],
  [/^(\d{1,3}\.){3}\d{1,3}$/, '<address>'],
];
const withinText: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/parity-(stock|lite)/g, '<node>'],
  [/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uid>'],
  [/[0-9a-f]{64}/g, '<id>'],
  [/\b[\d.]+m?s\b/g, '<duration>'],
  [/e2e-[0-9a-f]{8}/g, '<namespace>'],
  [/kube-api-access-\w{5}/g, '<token volume>'],
];

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  }
  if (typeof value !== 'string') return value;
  const whole = own.find(([pattern]) => pattern.test(value));
  if (whole !== undefined) return whole[1];
  return withinText.reduce((text, [pattern, name]) => text.replace(pattern, name), value);
}

/**
 * The status as one would compare two of them: conditions by type, and without what only one machine knows. A lite node
 * does not resize pods, so it does not tell the resources of the pod as a whole.
 */
function statusOf({ status }: Pod): unknown {
  const { resources: _, allocatedResources: __, ...rest } = status ?? {};
  const conditions = (rest.conditions ?? []).toSorted((a, b) => (a.type < b.type ? -1 : 1));
  return plain({ ...rest, conditions });
}

/** Each distinct event of the pod, in any order: reason, type, where, and what it says. */
function eventsOf(events: readonly Event[]): readonly unknown[] {
  const lines = events
    .filter(({ source, reportingComponent }) => (source?.component ?? reportingComponent) === 'kubelet')
    .map(({ type, reason, message, involvedObject }) =>
      JSON.stringify(plain([type, reason, involvedObject.fieldPath, message])),
    );
  return [...new Set(lines)].toSorted().map((line): unknown => JSON.parse(line));
}

interface Case {
  readonly what: string;
  readonly input: Omit<PodInput, 'name' | 'node'>;
  /** What becomes of its spec once it is ready. */
  readonly change?: object;
  readonly until: (one: Pod) => boolean;
  /** The reason of an event that must have been seen too. */
  readonly event?: string;
}

const failed = (one: Pod): boolean => one.status?.phase === 'Failed';
const waitsFor =
  (reason: string) =>
  (one: Pod): boolean =>
    one.status?.containerStatuses?.some(({ state }) => state?.waiting?.reason === reason) === true;

const cases: readonly Case[] = [
  { what: 'a pod that runs', input: { containers: [running()] }, until: isReady },
  {
    what: 'a pod with init containers, a sidecar and probes',
    input: {
      initContainers: [
        shell('true', { name: 'init' }),
        { ...running('', { name: 'side' }), restartPolicy: 'Always' },
      ],
      containers: [
        running('touch /tmp/ready', {
          readinessProbe: { exec: { command: ['test', '-e', '/tmp/ready'] }, periodSeconds: 1 },
          resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
        }),
      ],
    },
    until: isReady,
  },
  {
    what: 'a job that succeeds',
    input: { restartPolicy: 'Never', containers: [shell('echo done > /dev/termination-log')] },
    until: succeeded,
  },
  {
    what: 'a job that fails',
    input: { restartPolicy: 'Never', containers: [shell('exit 3')] },
    until: failed,
  },
  {
    what: 'a pod whose init container fails',
    input: {
      restartPolicy: 'Never',
      initContainers: [shell('exit 7', { name: 'init' })],
      containers: [running()],
    },
    until: failed,
  },
  {
    what: 'a container that crashes',
    input: { containers: [shell('exit 1')] },
    until: waitsFor('CrashLoopBackOff'),
  },
  {
    what: 'a command that does not exist',
    input: { restartPolicy: 'Never', containers: [{ ...running(), command: ['/no/such/program'] }] },
    until: failed,
  },
  {
    what: 'a config map that does not exist',
    input: { containers: [running('', { envFrom: [{ configMapRef: { name: 'none' } }] })] },
    until: waitsFor('CreateContainerConfigError'),
  },
  {
    what: 'an image that is never pulled',
    input: { containers: [running('', { image: 'registry.invalid/none:1', imagePullPolicy: 'Never' })] },
    until: waitsFor('ErrImageNeverPull'),
  },
  {
    what: 'a container that is not alive',
    input: {
      containers: [
        running('', {
          livenessProbe: {
            exec: { command: ['sh', '-c', 'echo so it is; exit 1'] },
            // Seen ready before it is killed again.
            initialDelaySeconds: 5,
            periodSeconds: 1,
            failureThreshold: 2,
          },
        }),
      ],
    },
    until: (one) => one.status?.containerStatuses?.[0]?.restartCount === 1 && isReady(one),
    event: 'Unhealthy',
  },
  {
    what: 'a secret that does not exist, as a volume',
    input: {
      volumes: [{ name: 'secret', secret: { secretName: 'none' } }],
      containers: [running('', { volumeMounts: [{ name: 'secret', mountPath: '/secret' }] })],
    },
    until: (one) => one.status?.phase === 'Pending' && (one.status.conditions ?? []).length > 1,
    event: 'FailedMount',
  },
  {
    what: 'a pod that is not ready before somebody says so',
    input: { readinessGates: [{ conditionType: 'selvedge.test/open' }], containers: [running()] },
    until: (one) => one.status?.phase === 'Running',
  },
  {
    what: "a pod with the host's network",
    input: { hostNetwork: true, containers: [running()] },
    until: isReady,
  },
  {
    what: 'a hook that fails',
    input: {
      restartPolicy: 'Never',
      containers: [running('', { lifecycle: { postStart: { exec: { command: ['false'] } } } })],
    },
    until: (one) => succeeded(one) || failed(one),
    event: 'FailedPostStartHook',
  },
  {
    what: 'a pod whose time is up',
    input: { terminationGracePeriodSeconds: 1, containers: [running()] },
    change: { activeDeadlineSeconds: 1 },
    until: failed,
  },
];

describe('a lite node and a stock kubelet report alike', { concurrent: true }, () => {
  beforeAll(() => site.bed.addNode({ name: stock, agent: 'stock', containerd: '2.4' }));
  afterAll(() => site.bed.removeNode(stock));

  it.each(cases)('$what', async ({ what, input, change, until, event }) => {
    const nameOf = (side: string): string => `parity-${side}-${what.replaceAll(/[^a-z]+/g, '-')}`;
    const report = async (side: string, node: string): Promise<unknown> => {
      const name = nameOf(side);
      await site.create(resources.pods, pod({ ...input, name, node }));
      if (change !== undefined) {
        await site.pod(name, { what: 'it is ready' }, isReady);
        const { namespace, signal } = site;
        const patch = { type: 'application/merge-patch+json', body: { spec: change } } as const;
        await site.client.patch(resources.pods, { namespace, name }, { patch, signal });
      }
      return statusOf(await site.pod(name, { what }, until));
    };
    const [expected, status] = await Promise.all([report('stock', stock), report('lite', lite)]);
    expect(status).toEqual(expected);
    // Events come in their own time on both sides.
    const seen = { stock: [] as readonly Event[], lite: [] as readonly Event[] };
    const alike = async (): Promise<boolean> => {
      seen.stock = await site.events(nameOf('stock'));
      seen.lite = await site.events(nameOf('lite'));
      const all = [seen.stock, seen.lite];
      const there = all.every(
        (events) => event === undefined || events.some(({ reason }) => reason === event),
      );
      return there && JSON.stringify(eventsOf(seen.stock)) === JSON.stringify(eventsOf(seen.lite));
    };
    await site.until({ what: 'the same events' }, alike).catch(() => undefined);
    expect(eventsOf(seen.lite)).toEqual(eventsOf(seen.stock));
  });
});
