import type { Node, NodeCondition } from '@selvedge/kube/types';
import type { RuntimeHealth } from '../runtime/index.ts';
import type { NodeOptions } from './build-node.ts';
import type { HostFacts } from './host.ts';
import type { StatusPatch } from './status-patch.ts';

const gibibyte = 1024 ** 3;

/** A small machine with nothing wrong. */
export const smallHost: HostFacts = {
  architecture: 'arm64',
  kernelVersion: '6.12.0',
  osImage: 'Debian GNU/Linux 13 (trixie)',
  machineId: 'm1',
  systemUuid: 'u1',
  bootId: 'b1',
  cpus: 4,
  memoryBytes: 2 * gibibyte,
  memoryAvailableBytes: gibibyte,
  swapBytes: 0,
  hugePages: [
    { pageBytes: gibibyte, totalBytes: 0 },
    { pageBytes: 2 * 1024 ** 2, totalBytes: 64 * 1024 ** 2 },
  ],
  disk: {
    totalBytes: 16 * gibibyte,
    availableBytes: 8 * gibibyte,
    inodes: 1_000_000,
    freeInodes: 900_000,
  },
  tasks: 200,
  maxTasks: 32_768,
  address: '10.0.0.7',
};

export const goodRuntime = {
  kind: 'up',
  version: { name: 'containerd', version: '2.4.2' },
  runtime: { ready: true, reason: '', message: '' },
  network: { ready: true, reason: '', message: '' },
} as const satisfies RuntimeHealth;

export const nodeOptions: NodeOptions = {
  nodeName: 'shop-7',
  version: '1.2.3',
  maxPods: 110,
  reserved: { cpu: '250m', memory: '128Mi' },
  leaseDurationSeconds: 40,
  ip: undefined,
  dnsName: undefined,
  labels: { site: 'north' },
  taints: [{ key: 'edge', effect: 'NoSchedule' }],
};

/** What the API server makes of such a patch: maps and conditions are merged, lists replaced, null removes. */
export function merged(node: Node, patch: Pick<StatusPatch, 'status'>): Node {
  const status: Record<string, unknown> = { ...node.status };
  for (const [field, value] of Object.entries(patch.status)) {
    if (Array.isArray(value)) status[field] = mergedList(field, status[field], value);
    else status[field] = withoutNulls({ ...(status[field] as object), ...(value as object) });
  }
  return { ...node, status };
}

const withoutNulls = (map: object): object =>
  Object.fromEntries(Object.entries(map).filter(([, value]) => value !== null));

function mergedList(field: string, before: unknown, list: readonly object[]): readonly object[] {
  if (list.some((item) => '$patch' in item)) return list.filter((item) => !('$patch' in item));
  if (field !== 'conditions') return list;
  const kept = ((before ?? []) as readonly NodeCondition[]).filter(
    ({ type }) => !list.some((item) => (item as NodeCondition).type === type),
  );
  return [...kept, ...list];
}
