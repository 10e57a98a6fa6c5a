import { SelvedgeError } from '@selvedge/kit';
import type { BedContext } from './context.ts';
import { type CloudProgram, startCloudProgram } from './control-plane/control-plane.ts';
import {
  type BedDescription,
  type NodeOptions,
  type SiteOptions,
  type StockAgent,
  nodeOf,
  siteOf,
} from './description.ts';
import {
  withAgent,
  withFaults,
  withNode,
  withPower,
  withSite,
  withoutNode,
  withoutSite,
} from './description-edit.ts';
import { applyFaults } from './network/apply-faults.ts';
import { type CutKind, type Faults, type Shape, checkShape } from './network/faults.ts';
import { type EnsureOptions, createAgents, createHost } from './node/node.ts';
import { controlPlaneOptions, nodeTools, reconcileNetwork, reconcileNodes } from './reconcile.ts';

/** The description of a bed that exists, or `NotFound`. */
export async function existing(context: BedContext): Promise<BedDescription> {
  const bed = await context.store.read(context.name);
  if (bed !== undefined) return bed;
  const which = context.name === 'bed' ? '' : `--bed ${context.name} `;
  const hint = `make it with: hack/bed ${which}up`;
  throw new SelvedgeError(`there is no bed ${context.name}`, { code: 'NotFound', hint });
}

/** Writes down what is to be before it is made: what a killed run left half-made is then known to the next. */
async function change(
  context: BedContext,
  edit: (bed: BedDescription) => BedDescription,
): Promise<BedDescription> {
  const bed = edit(await existing(context));
  await context.store.write(bed);
  return bed;
}

export async function addSite(
  context: BedContext,
  options: SiteOptions,
  signal?: AbortSignal,
): Promise<void> {
  await using lock = await context.store.lock(context.name, signal);
  await reconcileNetwork(context, await change(context, (bed) => withSite(bed, options)), signal);
}

export async function removeSite(context: BedContext, name: string, signal?: AbortSignal): Promise<void> {
  await using lock = await context.store.lock(context.name, signal);
  await reconcileNetwork(context, await change(context, (bed) => withoutSite(bed, name)), signal);
}

async function setFaults(context: BedContext, name: string, edit: (faults: Faults) => Faults): Promise<void> {
  await using lock = await context.store.lock(context.name);
  const bed = await change(context, (before) => withFaults(before, name, edit(siteOf(before, name).faults)));
  await applyFaults(context, bed, siteOf(bed, name));
}

/** Cuts the WAN of a site, at once also for what is connected. */
export function cut(context: BedContext, site: string, kind: CutKind): Promise<void> {
  return setFaults(context, site, (faults) => ({ ...faults, cut: kind }));
}

/** Makes the WAN of a site slow and lossy in this way, and no longer in another. */
export function shape(context: BedContext, site: string, wanted: Shape): Promise<void> {
  checkShape(wanted);
  return setFaults(context, site, ({ cut: kind }) => ({
    ...(kind === undefined ? {} : { cut: kind }),
    shape: wanted,
  }));
}

/** Ends all faults of a site's WAN. */
export function heal(context: BedContext, site: string): Promise<void> {
  return setFaults(context, site, () => ({}));
}

/** Brings up one node of the description, network first. */
async function bringUp(
  context: BedContext,
  bed: BedDescription,
  { name, wait, signal }: EnsureOptions & { readonly name: string },
): Promise<void> {
  await reconcileNetwork(context, bed, signal);
  const tools = await nodeTools(context, bed, signal);
  await reconcileNodes(context, tools, { nodes: [nodeOf(bed, name)], wait, signal });
}

export async function addNode(
  context: BedContext,
  options: NodeOptions,
  signal?: AbortSignal,
): Promise<void> {
  await using lock = await context.store.lock(context.name, signal);
  const bed = await change(context, (before) => withNode(before, options));
  await bringUp(context, bed, { name: options.name, signal });
}

export async function removeNode(context: BedContext, name: string, signal?: AbortSignal): Promise<void> {
  await using lock = await context.store.lock(context.name, signal);
  const bed = await existing(context);
  const node = nodeOf(bed, name);
  await createHost(context, await nodeTools(context, bed, signal), node).destroy();
  const pki = await context.pki();
  await Promise.all([pki.remove(`node-${name}`), pki.remove(`kubelet-${name}`), pki.remove(`hub-${name}`)]);
  await context.kubectl(['delete', 'node', name, '--ignore-not-found', '--wait=false'], { signal });
  await context.store.write(withoutNode(bed, name));
}

/** Turns a stock node into a converted one, or back, while its containers go on. */
export async function setAgent(
  context: BedContext,
  name: string,
  { agent, signal }: { readonly agent: StockAgent; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  await using lock = await context.store.lock(context.name, signal);
  const before = await existing(context);
  const node = nodeOf(before, name);
  const tools = await nodeTools(context, before, signal);
  const host = createHost(context, tools, node);
  const bed = await change(context, (was) => withAgent(was, name, agent));
  const { first, beside } = createAgents(context, tools, host, node);
  for (const { daemon } of [...first, ...beside].toReversed()) await host.stopDaemon(daemon);
  await bringUp(context, bed, { name, signal });
}

/** Ends a program of the cloud; resolves once it is gone. */
export async function stopCloud(
  { daemons }: BedContext,
  program: CloudProgram,
  signal: NodeJS.Signals,
): Promise<void> {
  await daemons.signal(program, signal);
  await daemons.stop(program);
}

/** Starts a program of the cloud again. */
export async function startCloud(context: BedContext, program: CloudProgram): Promise<void> {
  const tools = await nodeTools(context, await existing(context));
  await startCloudProgram(controlPlaneOptions(context, tools), context, program);
}

export async function powerCut(context: BedContext, name: string, signal?: AbortSignal): Promise<void> {
  await using lock = await context.store.lock(context.name, signal);
  const bed = await change(context, (before) => withPower(before, name, false));
  const tools = await nodeTools(context, bed, signal);
  await createHost(context, tools, nodeOf(bed, name)).powerCut();
}

export async function powerOn(context: BedContext, name: string, options: EnsureOptions = {}): Promise<void> {
  await using lock = await context.store.lock(context.name, options.signal);
  const bed = await change(context, (before) => withPower(before, name, true));
  await bringUp(context, bed, { ...options, name });
}

export async function reboot(context: BedContext, name: string, signal?: AbortSignal): Promise<void> {
  await using lock = await context.store.lock(context.name, signal);
  const bed = await existing(context);
  const host = createHost(context, await nodeTools(context, bed, signal), nodeOf(bed, name));
  await host.shutDown(signal);
  await bringUp(context, bed, { name, signal });
}
