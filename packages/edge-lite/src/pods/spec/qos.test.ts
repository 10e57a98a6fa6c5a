import { describe, expect, it } from 'vitest';
import type { ResourceRequirements } from '@selvedge/kube/types';

import { containerWith, podWith } from '../testing.ts';
import { oomScoreAdjustment } from './oom-score.ts';
import { podLimits } from './pod-limits.ts';
import { qosClass } from './qos.ts';

const full = { cpu: '500m', memory: '64Mi' };
const of = (...resources: readonly ResourceRequirements[]) =>
  podWith({ containers: resources.map((each, i) => containerWith({ name: `c${i}`, resources: each })) });

describe('the QoS class', () => {
  it.each([
    ['BestEffort', 'nothing is asked for', of({}, {})],
    ['BestEffort', 'only other resources are asked for', of({ requests: { 'hugepages-2Mi': '2Mi' } })],
    ['BestEffort', 'zero is asked for', of({ requests: { cpu: '0' } })],
    ['Guaranteed', 'requests equal limits', of({ requests: full, limits: full })],
    [
      'Guaranteed',
      'requests are written otherwise',
      of({ requests: { cpu: '0.5', memory: '65536Ki' }, limits: full }),
    ],
    ['Burstable', 'one container has no limits', of({ requests: full, limits: full }, {})],
    ['Burstable', 'only cpu is limited', of({ limits: { cpu: '1' }, requests: { cpu: '1' } })],
    ['Burstable', 'requests are below limits', of({ requests: { cpu: '1m', memory: '64Mi' }, limits: full })],
    ['Burstable', 'there is only a limit for memory', of({ limits: { memory: '1Gi' } })],
  ])('is %s when %s', (quality, _when, pod) => {
    expect(qosClass(pod)).toBe(quality);
  });

  it('counts init containers', () => {
    const guaranteed = containerWith({ resources: { requests: full, limits: full } });
    expect(
      qosClass(podWith({ containers: [guaranteed], initContainers: [containerWith({ name: 'i' })] })),
    ).toBe('Burstable');
  });

  it('is what the status says once it does', () => {
    expect(qosClass({ ...of({}), status: { qosClass: 'Guaranteed' } })).toBe('Guaranteed');
  });
});

describe('the OOM score adjustment', () => {
  const capacity = 1000 * 2 ** 20;
  it.each([
    ['guaranteed pods are spared', of({ requests: full, limits: full }), -997],
    ['best-effort pods go first', of({}), 1000],
    ['10 % of the memory gives 900', of({ requests: { memory: '100Mi' } }), 900],
    ['a burstable pod with no memory request stays below best effort', of({ requests: { cpu: '1' } }), 999],
    ['a burstable pod with all memory stays above guaranteed', of({ requests: { memory: '1000Mi' } }), 3],
  ])('%s', (_title, pod, score) => {
    const [container = containerWith()] = pod.spec?.containers ?? [];
    expect(oomScoreAdjustment(pod, container, capacity)).toBe(score);
  });

  it('spares pods that are critical for the node', () => {
    const pod = podWith({ priorityClassName: 'system-node-critical', priority: 2_000_001_000 });
    expect(oomScoreAdjustment(pod, containerWith(), capacity)).toBe(-997);
  });

  it('lets a sidecar outlive the container it serves', () => {
    const sidecar = containerWith({
      name: 'side',
      restartPolicy: 'Always',
      resources: { requests: { cpu: '1' } },
    });
    const main = containerWith({ resources: { requests: { memory: '300Mi' } } });
    const pod = podWith({ initContainers: [sidecar], containers: [main] });
    expect(oomScoreAdjustment(pod, sidecar, capacity)).toBe(700);
  });
});

describe('the limits of a pod', () => {
  it('adds containers and sidecars, and takes an init container that needs more', () => {
    const pod = podWith({
      containers: [containerWith({ resources: { requests: { cpu: '100m' }, limits: { memory: '10Mi' } } })],
      initContainers: [
        containerWith({
          name: 'side',
          restartPolicy: 'Always',
          resources: { requests: { cpu: '50m' }, limits: { memory: '5Mi' } },
        }),
        containerWith({ name: 'init', resources: { requests: { cpu: '400m' }, limits: { memory: '1Mi' } } }),
      ],
    });
    const limits = podLimits(pod);
    // init (400m) runs beside the sidecar (50m): 450m is more than 150m.
    expect(limits.cpuShares).toBe((450n * 1024n) / 1000n);
    expect(limits.memoryBytes).toBe(15n * 2n ** 20n);
    expect(limits.cpuQuota).toBeUndefined();
  });

  it('does not limit what one container does not', () => {
    expect(podLimits(of({ limits: full }, { requests: full }))).not.toHaveProperty('memoryBytes');
  });

  it('weighs best-effort pods least and lets them use what is free', () => {
    expect(podLimits(of({}))).toEqual({ cpuShares: 2n, hugePages: new Map() });
  });

  it('limits a guaranteed pod to its sum', () => {
    const limits = podLimits(of({ requests: full, limits: full }, { requests: full, limits: full }));
    expect(limits).toMatchObject({ cpuQuota: 100_000n, memoryBytes: 128n * 2n ** 20n });
  });

  it('knows huge pages by the size the kernel uses', () => {
    const pod = of({
      requests: { ...full, 'hugepages-2Mi': '4Mi' },
      limits: { ...full, 'hugepages-2Mi': '4Mi' },
    });
    expect(podLimits(pod).hugePages).toEqual(new Map([['2MB', 4n * 2n ** 20n]]));
  });
});
