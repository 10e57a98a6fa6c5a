import { formatFieldSelector } from '@selvedge/kube';
import { notFound, staleHeaders, withGzip, type Autonomy } from '../answers/index.ts';
import type { Coverage } from '../coverages/types.ts';
import type { CoverageSpec } from '../replica/types.ts';
import { heldResource, placeOf, type ResourceRequest } from '../request-info/index.ts';
import type { HubResponse } from '../request.ts';
import { versionOf } from './list-options.ts';
import { autonomyNow, notAvailable, upstreamElse } from './origin.ts';
import { createPresenter, type Presenter } from './present.ts';
import { mayGet } from './rights.ts';
import type { Read, ReadsParts, ReadsOptions } from './types.ts';

/** The narrowest coverage that holds the object of a request. */
function specOfObject(info: ResourceRequest, metadataOnly = false): CoverageSpec {
  const { namespace, name } = placeOf(info);
  const fieldSelector = formatFieldSelector([{ field: 'metadata.name', operator: '=', value: name }]);
  return { resource: heldResource({ ...info, metadataOnly }), namespace, labelSelector: '', fieldSelector };
}

/** The status of an object is the object. Other subresources have answers of their own. */
const ofObject = ({ subresource }: ResourceRequest): boolean =>
  subresource === '' || subresource === 'status';

interface GetContext {
  readonly read: Read;
  readonly options: ReadsOptions;
  readonly deps: ReadsParts;
  readonly presenter: Presenter;
}

/** The object as it is shown; where only its metadata is asked for, also from where only metadata is held. */
function shownJson({ read: { info }, deps, presenter }: GetContext): string | undefined {
  const whole = deps.replica.reader(heldResource(info)).get(placeOf(info));
  if (whole !== undefined || !presenter.metadataOnly) return whole?.json;
  return deps.replica.reader(heldResource({ ...info, metadataOnly: true })).get(placeOf(info))?.json;
}

/** The complete set that holds the object, if it exists. */
function covering({ read: { info }, deps, presenter }: GetContext): Coverage | undefined {
  return deps.coverages.covering(specOfObject(info, presenter.metadataOnly));
}

/** Whether somebody keeps such a set up to date. */
function isFollowed(context: GetContext): boolean {
  const coverage = covering(context);
  return coverage !== undefined && coverage.state.kind !== 'suspended';
}

interface Found {
  readonly json: string;
  readonly origin: 'replica' | 'point';
}

async function answer(
  { read, presenter, deps }: GetContext,
  { json, origin }: Found,
  autonomy: Autonomy | undefined,
): Promise<HubResponse> {
  deps.metrics.answered('get', origin);
  const headers = {
    'content-type': presenter.contentType,
    'cache-control': 'no-cache, private',
    ...(autonomy === undefined ? {} : staleHeaders(autonomy)),
  };
  const response = { status: 200, headers, body: Buffer.from(presenter.object(json)) };
  return await withGzip(response, read.request.headers['accept-encoding']);
}

/** What this node knows: the shown object, what the same identity read before, a proof that there is none; else 503. */
async function getHere(context: GetContext, autonomy: Autonomy): Promise<HubResponse> {
  const { read, deps } = context;
  if (!ofObject(read.info)) throw notAvailable(autonomy, read);
  const shown = shownJson(context);
  const allowed = await mayGet(read, { spec: specOfObject(read.info), shown }, deps);
  if (allowed === true && shown !== undefined) {
    return await answer(context, { json: shown, origin: 'replica' }, autonomy);
  }
  if (allowed === true && covering(context) !== undefined) throw notFound(read.info);
  const remembered = deps.points.recall(read.info, read.request.caller.user);
  if (remembered !== undefined) {
    return await answer(context, { json: remembered, origin: 'point' }, autonomy);
  }
  throw notAvailable(autonomy, read);
}

/** An object that need not be of now, if a complete set has it and it is new enough. */
async function getCovered(context: GetContext): Promise<HubResponse | undefined> {
  const { read, deps } = context;
  const wanted = read.request.query.get('resourceVersion') ?? '';
  if (wanted === '' || !ofObject(read.info) || !isFollowed(context)) return undefined;
  const version = versionOf(wanted) ?? 0n;
  if (version > deps.replica.reader(heldResource(read.info)).version) return undefined;
  const json = shownJson(context);
  if (json === undefined) return undefined;
  const allowed = await mayGet(read, { spec: specOfObject(read.info), shown: json }, deps);
  return allowed === true ? await answer(context, { json, origin: 'replica' }, undefined) : undefined;
}

/** GET of one object. Source: kubernetes.io "Kubernetes API Concepts", semantics for get and list. */
export async function handleGet(read: Read, options: ReadsOptions, deps: ReadsParts): Promise<HubResponse> {
  const context = { read, options, deps, presenter: createPresenter(read, deps) };
  const near = autonomyNow(options, deps) === undefined ? await getCovered(context) : undefined;
  return near ?? (await upstreamElse(read, context, (autonomy) => getHere(context, autonomy)));
}
