import type { BedContext } from './context.ts';
import { type ControlPlaneOptions, adminApi, ensureControlPlane } from './control-plane/control-plane.ts';
import { writeNodeNames } from './control-plane/node-names.ts';
import type { BedDescription, NodeDescription } from './description.ts';
import { clearNode } from './host/clear-node.ts';
import { machineTools } from './machine/tools.ts';
import { applyFaults } from './network/apply-faults.ts';
import { applyNetwork, observeNetwork } from './network/apply.ts';
import { planNetwork } from './network/plan.ts';
import { namespaceSpecs } from './network/spec.ts';
import { type EnsureOptions, type NodeTools, ensureNode, syncPodRoutes } from './node/node.ts';

/** Makes the namespaces those of the description. A node whose network is lost has lost its power too. */
export async function reconcileNetwork(
  context: BedContext,
  bed: BedDescription,
  signal?: AbortSignal,
): Promise<void> {
  const observed = await observeNetwork(context.names.namespacePrefix);
  const steps = planNetwork(namespaceSpecs(bed), observed);
  const touched = new Set(steps.map((step) => (step.kind === 'make' ? step.spec.name : step.namespace)));
  for (const { name: node } of bed.nodes.filter(({ name }) => touched.has(context.names.node(name)))) {
    await clearNode({ names: context.names, node, folders: context.folders.node(node) }, context);
  }
  await applyNetwork(steps, context, signal);
}

export async function nodeTools(
  context: BedContext,
  bed: BedDescription,
  signal?: AbortSignal,
): Promise<NodeTools> {
  const pki = await context.pki();
  return {
    bed,
    pki,
    assets: await context.assets(bed, signal),
    images: await context.images(signal),
    api: await adminApi(bed, pki),
    machines: await machineTools(context, bed, signal),
  };
}

/** Makes these nodes run, side by side, and leads their pods to each other. */
export async function reconcileNodes(
  context: BedContext,
  tools: NodeTools,
  { nodes, wait, signal }: EnsureOptions & { readonly nodes: readonly NodeDescription[] },
): Promise<void> {
  const { progress } = context.setup;
  await writeNodeNames(tools.bed, context.folders);
  const powered = nodes.filter((node) => node.powered);
  await Promise.all(
    powered.map((node) =>
      progress.step({ title: `node ${node.name} (${node.agent})` }, () =>
        ensureNode(context, tools, { node, wait, signal }),
      ),
    ),
  );
  if (powered.length > 0) await syncPodRoutes(context, tools, signal ?? new AbortController().signal);
}

export const controlPlaneOptions = (
  { folders, cloudManager }: BedContext,
  { bed, assets, pki }: NodeTools,
): ControlPlaneOptions => ({ bed, folders, assets, pki, cloudManager });

/** Makes what runs the one that is described: the network, the control plane, the nodes. Repairs what is broken. */
export async function reconcileBed(
  context: BedContext,
  bed: BedDescription,
  signal?: AbortSignal,
): Promise<void> {
  const { progress } = context.setup;
  const tools = await nodeTools(context, bed, signal);
  await progress.step({ title: 'network' }, () => reconcileNetwork(context, bed, signal));
  const options = controlPlaneOptions(context, tools);
  await progress.step({ title: 'control plane' }, () => ensureControlPlane(options, context, signal));
  for (const site of bed.sites) await applyFaults(context, bed, site, signal);
  await reconcileNodes(context, tools, { nodes: bed.nodes, signal });
}
