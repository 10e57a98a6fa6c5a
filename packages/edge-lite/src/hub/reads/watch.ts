import { hasCode, isAbort } from '@selvedge/kit';
import { expired, staleHeaders, type Autonomy } from '../answers/index.ts';
import type { CoverageSpec } from '../replica/types.ts';
import type { HubResponse } from '../request.ts';
import { errorFrame } from './frames.ts';
import { completeSince, join, joinHere, placeOfNow, specOf, type Joined } from './joined.ts';
import { kindOf } from './kind.ts';
import { listOptions, versionOf, type ListOptions } from './list-options.ts';
import { autonomyNow, upstreamElse } from './origin.ts';
import { createPresenter, type Presenter } from './present.ts';
import type { Read, ReadsParts, ReadsOptions } from './types.ts';
import { watchStream, type WatchStreamOptions } from './watch-stream.ts';

interface WatchContext {
  readonly read: Read;
  readonly options: ReadsOptions;
  readonly deps: ReadsParts;
  readonly list: ListOptions;
  readonly spec: CoverageSpec;
  readonly presenter: Presenter;
}

const defaultWatchMs = 30 * 60_000;

function timeoutOf({ list, options, deps }: WatchContext): number {
  if (list.timeoutSeconds > 0) return list.timeoutSeconds * 1_000;
  return (options.minWatchMs ?? defaultWatchMs) * (1 + deps.random());
}

function isTooEarly({ list, deps }: WatchContext, joined: Joined): boolean {
  const wanted = versionOf(list.resourceVersion);
  if (wanted === undefined || list.sendInitialEvents === true) return false;
  return wanted < completeSince(joined, deps);
}

/** Throws 410 for versions that nobody has been shown. */
function startOf(context: WatchContext, joined: Joined): WatchStreamOptions['from'] {
  const { list, deps } = context;
  const newest = joined.reader.version;
  const wanted = versionOf(list.resourceVersion);
  if (isTooEarly(context, joined)) throw expired(`too old resource version: ${wanted} (${newest})`);
  if (wanted !== undefined && wanted > newest) {
    throw expired(`too large resource version: ${wanted}, current: ${newest}`);
  }
  if (list.sendInitialEvents !== true && wanted !== undefined) return { kind: 'changes', version: wanted };
  const version = placeOfNow(joined, wanted ?? 0n, deps);
  if (list.sendInitialEvents !== true) return { kind: 'changes', version };
  return { kind: 'initial', version, endBookmark: list.allowWatchBookmarks };
}

/** What is wrong with a version is said by an event, as the API server does. */
async function* failed(error: unknown): AsyncGenerator<Uint8Array, void, void> {
  yield Buffer.from(errorFrame(error));
}

async function* followed(
  context: WatchContext,
  joined: Joined,
  from: WatchStreamOptions['from'],
): AsyncGenerator<Uint8Array, void, void> {
  using held = joined;
  using watching = context.deps.metrics.watching();
  const { read, presenter, deps, list } = context;
  const options = {
    from,
    bookmarks: list.allowWatchBookmarks,
    timeoutMs: timeoutOf(context),
    objectKind: kindOf(held.reader, deps.types),
  };
  const { clock } = deps;
  const { signal, ending } = read.request;
  yield* watchStream(options, { joined: held, presenter, clock, signal, ending });
}

function bodyOf(context: WatchContext, joined: Joined): AsyncGenerator<Uint8Array, void, void> {
  try {
    return followed(context, joined, startOf(context, joined));
  } catch (error) {
    joined[Symbol.dispose]();
    if (hasCode(error, 'Gone')) return failed(error);
    throw error;
  }
}

/** Online, of what went before it was held here upstream tells. */
function tellable(context: WatchContext, joined: Joined | undefined): Joined | undefined {
  const { options, deps } = context;
  if (joined === undefined || !isTooEarly(context, joined)) return joined;
  if (autonomyNow(options, deps) !== undefined) return joined;
  joined[Symbol.dispose]();
  return undefined;
}

/** Online, what no coverage can answer is left to upstream; a refusal is one. */
async function joinNear(context: WatchContext): Promise<Joined | undefined> {
  if (autonomyNow(context.options, context.deps) !== undefined) return undefined;
  try {
    return tellable(context, await join(context));
  } catch (error) {
    const { signal } = context.read.request;
    if (hasCode(error, 'Forbidden', 'Unauthenticated') || isAbort(error, signal)) throw error;
    return undefined;
  }
}

const headersOf = ({ presenter }: WatchContext, autonomy: Autonomy | undefined): HubResponse['headers'] => ({
  'content-type': presenter.contentType,
  'cache-control': 'no-cache, private',
  ...(autonomy === undefined ? {} : staleHeaders(autonomy)),
});

function answer(context: WatchContext, joined: Joined, autonomy: Autonomy | undefined): HubResponse {
  const { list, deps } = context;
  deps.metrics.answered(list.sendInitialEvents === true ? 'stream' : 'watch', 'replica');
  return { status: 200, headers: headersOf(context, autonomy), body: bodyOf(context, joined) };
}

/** WATCH of a collection or of one object. Source: kubernetes.io "Kubernetes API Concepts", efficient detection of changes. */
export async function handleWatch(read: Read, options: ReadsOptions, deps: ReadsParts): Promise<HubResponse> {
  const presenter = createPresenter(read, deps);
  const list = listOptions(read.request.query, 'watch');
  versionOf(list.resourceVersion);
  const spec = specOf(read, presenter.metadataOnly, deps);
  const context = { read, options, deps, list, spec, presenter };
  const near = await joinNear(context);
  if (near !== undefined) return answer(context, near, autonomyNow(options, deps));
  try {
    return await upstreamElse(read, context, async (autonomy) =>
      answer(context, await joinHere(context), autonomy),
    );
  } catch (error) {
    if (!hasCode(error, 'Gone')) throw error;
    return { status: 200, headers: headersOf(context, undefined), body: failed(error) };
  }
}
