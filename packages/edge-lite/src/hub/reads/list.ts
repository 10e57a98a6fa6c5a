import { isAbort } from '@selvedge/kit';
import { badRequest, expired, listChunks, staleHeaders, withGzip, type Autonomy } from '../answers/index.ts';
import type { CoverageSpec, ObjectName, Shown } from '../replica/types.ts';
import type { HubResponse } from '../request.ts';
import {
  decodeContinue,
  encodeContinue,
  isOwnContinue,
  notToGoOn,
  type Continuation,
} from './continue-token.ts';
import { join, joinHere, placeOfNow, specOf, type Joined } from './joined.ts';
import { listOptions, versionOf, type ListOptions } from './list-options.ts';
import { autonomyNow, upstreamElse } from './origin.ts';
import { createPresenter, type Presenter } from './present.ts';
import { kindOf } from './kind.ts';
import { select } from './pages.ts';
import type { Read, ReadsParts, ReadsOptions } from './types.ts';

interface ListContext {
  readonly read: Read;
  readonly options: ReadsOptions;
  readonly deps: ReadsParts;
  readonly list: ListOptions;
  readonly spec: CoverageSpec;
  readonly presenter: Presenter;
}

/** Which state of the replica is asked for, and from where on. */
interface Window {
  readonly at: bigint;
  readonly after: ObjectName | undefined;
  /** 0: all. */
  readonly limit: number;
}

const inconsistent =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
  'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
  'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
  'deleted between the time the first chunk was returned and now may show up in the list.';

/** 410 with a token that goes on where this one did, in the state of whenever it is used. */
function tooOldToGoOn({ after }: Continuation, spec: CoverageSpec): Error {
  return expired(inconsistent, encodeContinue({ version: undefined, after }, spec));
}

function exactVersion({ match, limit, resourceVersion }: ListOptions): bigint | undefined {
  const exact = match === 'Exact' || (match === '' && limit > 0);
  return exact ? versionOf(resourceVersion) : undefined;
}

function windowOf({ list, spec, deps }: ListContext, joined: Joined): Window {
  const { resourceVersion } = list;
  if (list.continue !== '') {
    const { version, after } = decodeContinue(list.continue, spec);
    return { at: version ?? placeOfNow(joined, 0n, deps), after, limit: list.limit };
  }
  const newest = joined.reader.version;
  const wanted = versionOf(resourceVersion) ?? 0n;
  if (wanted > newest) throw expired(`too large resource version: ${wanted}, current: ${newest}`);
  // Any state will do, so the whole of it is given, as the API server's watch cache does.
  const limit = resourceVersion === '0' ? 0 : list.limit;
  return { at: exactVersion(list) ?? placeOfNow(joined, wanted, deps), after: undefined, limit };
}

interface Page {
  readonly pages: AsyncIterable<readonly Shown[]> | Iterable<readonly Shown[]>;
  /** The last item, if there are more behind it. */
  readonly last: Shown | undefined;
}

/** Of a limited list, which is held because its head says whether there is more; in characters. */
const maxHeldText = 1024 * 1024;

/**
 * The items of a window; of a limited one with what comes behind left off. It ends early where objects are large, as it
 * may. Source: kubernetes.io "Kubernetes API Concepts", retrieving large results sets in chunks.
 */
async function pageOf({ reader, selector }: Joined, { at, after, limit }: Window): Promise<Page | 'expired'> {
  const pages = select({ reader, selector, at, after });
  if (pages === 'expired') return 'expired';
  if (limit === 0) return { pages, last: undefined };
  const found: Shown[] = [];
  let text = 0;
  for await (const page of pages) {
    if (text >= maxHeldText) return { pages: [found], last: found.at(-1) };
    found.push(...page);
    text += page.reduce((sum, { json }) => sum + json.length, 0);
    if (found.length > limit) return { pages: [found.slice(0, limit)], last: found[limit - 1] };
  }
  return { pages: [found], last: undefined };
}

function expiredWindow({ list, spec }: ListContext, { at }: Window): Error {
  if (list.continue !== '') return tooOldToGoOn(decodeContinue(list.continue, spec), spec);
  return expired(`too old resource version: ${at}`);
}

async function* written(pages: Page['pages'], presenter: Presenter): AsyncGenerator<string, void, void> {
  for await (const page of pages) for (const { json } of page) yield presenter.item(json);
}

async function answer(
  context: ListContext,
  joined: Joined,
  autonomy: Autonomy | undefined,
): Promise<HubResponse> {
  const { read, spec, presenter, deps } = context;
  const window = windowOf(context, joined);
  const page = await pageOf(joined, window);
  if (page === 'expired') throw expiredWindow(context, window);
  const token = page.last === undefined ? '' : encodeContinue({ version: window.at, after: page.last }, spec);
  const metadata = { resourceVersion: String(window.at), continue: token };
  deps.metrics.answered('list', 'replica');
  const head = presenter.listHead(metadata, kindOf(joined.reader, deps.types));
  const headers = {
    'content-type': presenter.contentType,
    'cache-control': 'no-cache, private',
    ...(autonomy === undefined ? {} : staleHeaders(autonomy)),
  };
  const body = listChunks(head, written(page.pages, presenter));
  return await withGzip({ status: 200, headers, body }, read.request.headers['accept-encoding']);
}

async function listHere(context: ListContext, autonomy: Autonomy | undefined): Promise<HubResponse> {
  using joined = await joinHere(context);
  return await answer(context, joined, autonomy);
}

/** Whether a state of the past will do, in which case this node has it. */
function mayBeOld({ list }: ListContext): boolean {
  if (list.continue !== '') return isOwnContinue(list.continue);
  return list.resourceVersion !== '' && exactVersion(list) === undefined;
}

async function answerNear(context: ListContext, joined: Joined): Promise<HubResponse | undefined> {
  const { list } = context;
  const wanted = list.continue === '' ? versionOf(list.resourceVersion) : undefined;
  if (wanted !== undefined && wanted > joined.reader.version) return undefined;
  return await answer(context, joined, undefined);
}

/** Online: what cannot be answered here, for whatever reason, upstream answers. */
async function listNear(context: ListContext): Promise<HubResponse | undefined> {
  if (!mayBeOld(context)) return undefined;
  const { list, read } = context;
  try {
    using joined = await join(context);
    if (joined !== undefined) return await answerNear(context, joined);
    // The API server knows nothing of our tokens.
    if (list.continue !== '') throw notToGoOn();
    return undefined;
  } catch (error) {
    if (list.continue !== '' || isAbort(error, read.request.signal)) throw error;
    return undefined;
  }
}

/** LIST of a collection. Source: kubernetes.io "Kubernetes API Concepts", semantics for get and list. */
export async function handleList(read: Read, options: ReadsOptions, deps: ReadsParts): Promise<HubResponse> {
  const presenter = createPresenter(read, deps);
  const list = listOptions(read.request.query, 'list');
  if (list.continue !== '' && list.resourceVersion !== '' && list.resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  const spec = specOf(read, presenter.metadataOnly, deps);
  const context = { read, options, deps, list, spec, presenter };
  const near = autonomyNow(options, deps) === undefined ? await listNear(context) : undefined;
  return near ?? (await upstreamElse(read, context, (autonomy) => listHere(context, autonomy)));
}
