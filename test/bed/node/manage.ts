import { type CommandResult, run } from '@selvedge/hack/setup';
import { SelvedgeError } from '@selvedge/kit';
import type { BedContext } from '../context.ts';
import { type NodeDescription, nodeOf } from '../description.ts';
import type { NodeHost } from '../host/host.ts';
import { inNamespace } from '../network/apply.ts';
import { namespaceOf } from '../network/place.ts';
import { existing } from '../operations.ts';
import { nodeTools } from '../reconcile.ts';
import type { NodeAgent } from './agent.ts';
import { type Agents, type NodeTools, createAgents, createHost, ensureNode } from './node.ts';

interface Managed {
  readonly node: NodeDescription;
  readonly host: NodeHost;
  readonly tools: NodeTools;
}

async function open(context: BedContext, name: string): Promise<Managed> {
  const bed = await existing(context);
  const node = nodeOf(bed, name);
  const tools = await nodeTools(context, bed);
  return { node, tools, host: createHost(context, tools, node) };
}

/** Runs a program to its end on a node, or in the network of a site's router or of the cloud; rejects if it fails. */
export async function execAt(
  context: BedContext,
  place: string,
  argv: readonly [string, ...string[]],
): Promise<CommandResult> {
  const bed = await existing(context);
  if (bed.nodes.some((node) => node.name === place)) return (await open(context, place)).host.exec(argv);
  return run({ argv: inNamespace(namespaceOf(bed, place), argv) });
}

export interface StopOptions {
  /** Default: the one that runs the pods. */
  readonly program?: string | undefined;
  readonly signal: NodeJS.Signals;
}

/** The program of this name, by default the one that runs the pods. */
function programOf({ first, beside }: Agents, node: string, name = first.at(-1)?.daemon): NodeAgent {
  const known = [...first, ...beside].find(({ daemon }) => daemon === name);
  if (known !== undefined) return known;
  throw new SelvedgeError(`node ${node} has no ${name ?? 'agent'}`, { code: 'NotFound' });
}

/** Ends the kubelet or edge-lite, or another program of the node; resolves once it is gone. Its containers go on. */
export async function stopAgent(context: BedContext, name: string, options: StopOptions): Promise<void> {
  const { node, host, tools } = await open(context, name);
  const { daemon } = programOf(createAgents(context, tools, host, node), name, options.program);
  await host.signalDaemon(daemon, options.signal);
  await host.stopDaemon(daemon);
}

export interface StartOptions {
  /** Whether to wait until the node is Ready. Default true. */
  readonly wait?: boolean;
  /** Only this one, and without a wait. Default: all. */
  readonly program?: string;
}

/** Starts what was stopped of a node; resolves once it is Ready, or without `wait` at once. */
export async function startAgent(
  context: BedContext,
  name: string,
  { wait = true, program }: StartOptions = {},
): Promise<void> {
  const { node, host, tools } = await open(context, name);
  const agents = createAgents(context, tools, host, node);
  if (program !== undefined) await programOf(agents, name, program).ensure();
  else if (wait) await ensureNode(context, tools, { node });
  else for (const each of [...agents.first, ...agents.beside]) await each.ensure();
}

/** Ends the container runtime; resolves once it is gone. Its containers go on. */
export async function stopRuntime(context: BedContext, name: string): Promise<void> {
  await (await open(context, name)).host.stopDaemon('containerd');
}

/** Starts the container runtime; resolves once it answers. */
export async function startRuntime(context: BedContext, name: string): Promise<void> {
  await (await open(context, name)).host.start();
}
