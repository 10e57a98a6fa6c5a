import { run } from '@selvedge/hack/setup';
import type { BedContext } from '../context.ts';
import { type BedDescription, cloudSite } from '../description.ts';
import { machineFolders } from '../machine/host.ts';
import { type PodRange, podRoutes, renderConflist } from '../node/cni.ts';
import { waitFor } from '../wait.ts';
import type { ClusterMachine } from './types.ts';

interface NodeList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly podCIDR?: string };
  }[];
}

/** The ranges of all these nodes, once they have joined and the controller-manager has given them. */
export function podRangesOf(
  { kubectl, clock }: Pick<BedContext, 'kubectl' | 'clock'>,
  nodes: readonly string[],
  signal?: AbortSignal,
): Promise<readonly PodRange[]> {
  const wait = { what: `ranges of pods for ${nodes.join(', ')}`, everyMs: 200, signal };
  return waitFor(wait, clock, async (attempt) => {
    const { stdout } = await kubectl(['get', 'nodes', '--output=json'], { signal: attempt });
    const ranges = (JSON.parse(stdout) as NodeList).items.flatMap(({ metadata, spec }) =>
      spec.podCIDR === undefined ? [] : [{ node: metadata.name, podCidr: spec.podCIDR }],
    );
    return nodes.every((name) => ranges.some(({ node }) => node === name)) && ranges;
  });
}

export interface PodNetworkOptions {
  readonly ranges: readonly PodRange[];
  /** Where the runtime looks for its CNI configuration. */
  readonly folder: string;
}

/** Writes a node's CNI configuration: a bridge, and addresses that end with the power, as pods do. */
export async function writePodNetwork(
  { machine, name }: ClusterMachine,
  { ranges, folder }: PodNetworkOptions,
  signal?: AbortSignal,
): Promise<void> {
  const range = ranges.find(({ node }) => node === name);
  if (range === undefined) return;
  const { addresses } = machineFolders;
  const content = renderConflist({ name: 'pods', podCidr: range.podCidr, addresses });
  await machine.writeFiles([{ kind: 'file', path: `${folder.slice(1)}/10-pods.conflist`, content }], signal);
}

/** Leads each worker to the pods of the others of the site, and the cloud to those beside it; a worker that is off has no network. */
export async function writePodRoutes(
  { names }: Pick<BedContext, 'names'>,
  bed: BedDescription,
  { ranges, workers }: { readonly ranges: readonly PodRange[]; readonly workers: readonly ClusterMachine[] },
): Promise<void> {
  const places = [{ name: '', site: cloudSite, namespace: names.cloud }];
  for (const { name, site } of bed.nodes) {
    const worker = workers.find((one) => one.name === name);
    if (await worker?.machine.isOn()) places.push({ name, site, namespace: names.node(name) });
  }
  for (const place of places) {
    const input = podRoutes(bed, place, ranges)
      .map((line) => `${line}\n`)
      .join('');
    await run({ argv: ['ip', '-n', place.namespace, '-batch', '-'], input });
  }
}
