import { isDeepStrictEqual } from 'node:util';
import { hasCode } from '@selvedge/kit';
import {
  type KubeClient,
  type KubeObject,
  type ObjectRef,
  type Resource,
  resources,
  strategicMergePatch,
} from '@selvedge/kube';
import type { ReplayPatch } from '../merge/types.ts';
import type { HeldResource, OverlayEntry, Replica } from '../replica/types.ts';

export interface ReplayOneDeps {
  readonly replica: Pick<Replica, 'learn' | 'overlay' | 'settleOverlay'>;
  /** Acts as the node. */
  readonly client: Pick<KubeClient, 'get' | 'list' | 'patch'>;
  readonly nodeName: string;
  readonly replayPatch: ReplayPatch;
  /** Whether the cloud is still to hear that the own Node's kubelet lives, and that it has heard. */
  readonly heartbeats: { readonly due: boolean; told(): void };
}

/** What became of an overlay. */
export type Replayed =
  /** `same`: upstream said so already. */
  | { readonly kind: 'sent' | 'same' }
  /** Given up: its object is gone, is another one of the same name, or the API server does not take it. */
  | { readonly kind: 'gone' | 'replaced' }
  | { readonly kind: 'refused'; readonly error: unknown };

const callTimeoutMs = 15_000;
/** Others write the same object too; each round begins with what they wrote. */
const maxRounds = 8;

/** What is ever laid over. */
const known: Readonly<Record<HeldResource, Resource<KubeObject>>> = {
  'v1/nodes': resources.nodes,
  'v1/pods': resources.pods,
};

interface Target {
  readonly resource: Resource<KubeObject>;
  readonly at: ObjectRef;
  readonly signal: AbortSignal;
}

/**
 * A node may get a pod only while the API server knows that it is bound to it, so of one that is gone it is told `Forbidden`.
 * Listing its own pods it always may. Source: kubernetes.io "Using Node Authorization".
 */
async function readListed(
  deps: ReplayOneDeps,
  { resource, at, signal }: Target,
): Promise<KubeObject | undefined> {
  const fieldSelector = `spec.nodeName=${deps.nodeName},metadata.name=${at.name}`;
  const { namespace } = at;
  const options = { namespace, fieldSelector, signal, timeoutMs: callTimeoutMs };
  const { items } = await deps.client.list(resource, options);
  return items.find(({ metadata }) => metadata.name === at.name);
}

async function read(deps: ReplayOneDeps, target: Target): Promise<KubeObject | undefined> {
  const { resource, at, signal } = target;
  try {
    return await deps.client.get(resource, at, { signal, timeoutMs: callTimeoutMs });
  } catch (error) {
    if (hasCode(error, 'NotFound')) return undefined;
    if (hasCode(error, 'Forbidden') && resource === resources.pods) return readListed(deps, target);
    throw error;
  }
}

/** Undefined: somebody else was faster, so the next round has to look again. */
async function send(
  { client }: ReplayOneDeps,
  { resource, at, signal }: Target,
  body: object,
): Promise<KubeObject | undefined> {
  const options = {
    patch: strategicMergePatch(body),
    subresource: 'status',
    signal,
    timeoutMs: callTimeoutMs,
  };
  return client.patch(resource, at, options).catch((error: unknown) => {
    if (hasCode(error, 'Conflict', 'NotFound')) return undefined;
    throw error;
  });
}

/** What was laid on while the last of it was on its way is for the next round. */
function settled(entry: OverlayEntry, answer: KubeObject, { replica }: ReplayOneDeps): boolean {
  const now = replica.overlay(entry.resource, entry);
  if (now !== undefined && !isDeepStrictEqual(now.current, entry.current)) {
    replica.learn(entry.resource, answer);
    return false;
  }
  replica.settleOverlay(entry.resource, entry, answer);
  return true;
}

/** What the API server will never take. Anything else may be tried again. */
const final = ['Invalid', 'Forbidden', 'Unsupported'] as const;

/** The difference that the overlay makes on the same object. Undefined: another round is needed. */
async function bring(
  entry: OverlayEntry,
  upstream: KubeObject,
  { target, deps }: { readonly target: Target; readonly deps: ReplayOneDeps },
): Promise<Replayed | undefined> {
  const { resource, anchor, current } = entry;
  const heartbeat = resource === 'v1/nodes' && deps.heartbeats.due;
  const body = deps.replayPatch(resource, { anchor, current, upstream }, { heartbeat });
  if (body === undefined) return settled(entry, upstream, deps) ? { kind: 'same' } : undefined;
  try {
    const answer = await send(deps, target, body);
    if (answer === undefined) return undefined;
    if (heartbeat) deps.heartbeats.told();
    return settled(entry, answer, deps) ? { kind: 'sent' } : undefined;
  } catch (error) {
    if (!hasCode(error, ...final)) throw error;
    deps.replica.settleOverlay(resource, entry, upstream);
    return { kind: 'refused', error };
  }
}

/** Undefined: another round is needed. */
async function round(
  entry: OverlayEntry,
  target: Target,
  deps: ReplayOneDeps,
): Promise<Replayed | undefined> {
  const upstream = await read(deps, target);
  if (upstream?.metadata.uid === entry.uid) return bring(entry, upstream, { target, deps });
  // The overlay is not shown on another object: what was said here never goes back to what upstream had before.
  if (upstream !== undefined) deps.replica.learn(entry.resource, upstream);
  deps.replica.settleOverlay(entry.resource, entry, 'gone');
  return { kind: upstream === undefined ? 'gone' : 'replaced' };
}

/**
 * Brings one overlay upstream as the difference that it makes, to the very object that it was made for. Undefined: others
 * kept writing, later perhaps. Rejects when the API server is away or fails.
 */
export async function replayOne(
  first: OverlayEntry,
  deps: ReplayOneDeps,
  signal: AbortSignal,
): Promise<Replayed | undefined> {
  const resource = known[first.resource];
  if (resource === undefined) throw new TypeError(`${first.resource} is never laid over`);
  const { name, namespace } = first;
  const target = { resource, at: namespace === '' ? { name } : { namespace, name }, signal };
  try {
    for (let i = 0; i < maxRounds; i += 1) {
      const entry = deps.replica.overlay(first.resource, first);
      if (entry === undefined) return { kind: 'same' };
      const replayed = await round(entry, target, deps);
      if (replayed !== undefined) return replayed;
    }
    return undefined;
  } catch (error) {
    if (!hasCode(error, ...final)) throw error;
    deps.replica.settleOverlay(first.resource, first, undefined);
    return { kind: 'refused', error };
  }
}
