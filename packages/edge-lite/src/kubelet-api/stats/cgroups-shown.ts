import type { Labels } from '@selvedge/kit';
import type { CgroupShown } from './cadvisor-metrics.ts';
import type { CgroupReader, Measured, NodeDetails, PodUsage } from './types.ts';
import { type CgroupPlace, containerCgroup, othersFirst } from './usage.ts';

interface Showing {
  readonly place: CgroupPlace;
  readonly cgroups: CgroupReader;
  readonly details: NodeDetails;
  readonly nowMs: number;
}

interface Names {
  readonly container?: string;
  readonly image?: string;
  readonly name?: string;
  readonly namespace?: string | undefined;
  readonly pod?: string | undefined;
}

/** Every series of a family has the same labels. */
const labelsOf = (
  id: string,
  { container = '', image = '', name = '', namespace = '', pod = '' }: Names,
): Labels => ({ container, id, image, name, namespace, pod });

const nothingMore = { network: [], startedAtMs: undefined, disk: undefined };

const shown = ({ cgroup, usage }: Measured, names: Names, { cgroups }: Showing): CgroupShown => ({
  ...nothingMore,
  labels: labelsOf(cgroup, names),
  usage,
  details: cgroups.details(cgroup),
});

/** Its network is the pod's. The runtime does not name the image of sandboxes; dashboards want one. */
function sandboxShown({ sandbox, ...pod }: PodUsage, names: Names, showing: Showing): CgroupShown {
  const { cgroups, place, details, nowMs } = showing;
  const cgroup = containerCgroup(pod.cgroup, sandbox.id, place);
  const measured = { cgroup, usage: cgroups.usage(cgroup, nowMs) };
  return {
    ...shown(measured, { ...names, name: sandbox.id, image: 'pause' }, showing),
    network: details.networks.get(pod.pod.metadata.uid ?? '') ?? [],
    startedAtMs: sandbox.createdAtMs,
  };
}

function podShown(usage: PodUsage, showing: Showing): readonly CgroupShown[] {
  const { namespace, name: pod } = usage.pod.metadata;
  const { images, disk, writable } = showing.details;
  const names = { namespace, pod };
  const containers = usage.containers.map((container): CgroupShown => {
    const { id, name, image, state } = container.record;
    const of = images ?? disk;
    return {
      ...shown(container, { ...names, container: name, image, name: id }, showing),
      startedAtMs: state.kind === 'running' ? state.startedAtMs : undefined,
      disk: { use: writable.get(id), of },
    };
  });
  return [shown(usage, names, showing), sandboxShown(usage, names, showing), ...containers];
}

/** Of each pod its own cgroup, its sandbox's and its containers'. */
export async function podCgroupsShown(
  showing: Showing,
  signal: AbortSignal,
): Promise<readonly CgroupShown[]> {
  const all: CgroupShown[] = [];
  for (const pod of showing.details.usage.pods) {
    all.push(...podShown(pod, showing));
    await othersFirst();
    signal.throwIfAborted();
  }
  return all;
}

/** The machine, and the cgroup of all pods. */
export function nodeShown(showing: Showing): readonly CgroupShown[] {
  const { details } = showing;
  const { node, allPods } = details.usage;
  const machine: CgroupShown = {
    ...nothingMore,
    labels: labelsOf('/', {}),
    usage: node,
    details: undefined,
    network: details.network,
    disk: {
      use: { usedBytes: details.disk.usedBytes ?? 0, usedInodes: details.disk.usedInodes ?? 0 },
      of: details.disk,
    },
  };
  return [machine, shown(allPods, {}, showing)];
}
