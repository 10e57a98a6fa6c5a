import { type Clock, hasCode, scoped } from '@selvedge/kit';
import { type KubeObject, type ListPiece, createLineSplitter, createListSplitter } from '@selvedge/kube';
import type { Caller, HubRequest, HubResponse } from '../request.ts';
import { naturalText } from '../replica/index.ts';
import { type ResourceRequest, heldResource } from '../request-info/index.ts';
import type { UpstreamResponse } from '../upstream/types.ts';
import { chunksOf, collectChunks } from './chunks.ts';
import type { Horizon } from './horizon.ts';
import { impersonates, responseHeaders } from './headers.ts';
import { answersObjects, learnsFrom } from './learning.ts';
import { rewriteEvent } from './rewrite-event.ts';
import { type ShowObject, showRow } from './rows.ts';
import { specOf } from './sent-query.ts';
import { watchedPlace } from './watched-place.ts';
import {
  ListRewriter,
  type ShowVersion,
  type Shows,
  parseJson,
  rewriteTable,
  withServedVersion,
} from './rewrite-list.ts';
import { type ShowDeps, createShow } from './show.ts';

export interface AnswerContext extends ShowDeps {
  readonly request: HubRequest;
  readonly about: ResourceRequest;
  readonly response: UpstreamResponse;
  readonly maxObjectBytes: number;
  readonly horizon: Horizon;
  readonly clock: Pick<Clock, 'now'>;
  readonly remember: (request: ResourceRequest, caller: Caller, object: KubeObject) => void;
}

type Json = Readonly<Record<string, unknown>>;

export function isJson({ headers }: UpstreamResponse): boolean {
  return (headers['content-type'] ?? '').startsWith('application/json');
}

function rewrittenHead({ status, headers }: UpstreamResponse): Pick<HubResponse, 'status' | 'headers'> {
  return { status, headers: responseHeaders(headers, 'content-encoding', 'content-length') };
}

/** The answer as upstream gave it, unzipped if it was our wish that it was zipped. */
export function answerAsIs(response: UpstreamResponse, unzip: boolean): HubResponse {
  const zipped = unzip && response.headers['content-encoding'] === 'gzip';
  const head = zipped
    ? rewrittenHead(response)
    : { status: response.status, headers: responseHeaders(response.headers) };
  return { ...head, body: chunksOf(response, unzip) };
}

/** How objects of the resource are shown, and learned where they may be. */
function showing({ request, about, ...deps }: AnswerContext): ShowObject {
  const show = createShow(about, deps);
  if (!answersObjects(about)) return (object) => show.other(object);
  const learns = learnsFrom(about, request.query);
  const held = heldResource(about);
  return (object) => {
    deps.horizon.saw(held, object.metadata.resourceVersion);
    return show.object(object, learns(object));
  };
}

const showsOf = (context: AnswerContext, object: ShowObject = showing(context)): Shows => ({
  object,
  row: showRow(context, object, context),
});

/** Of a bookmark: whoever goes on there is told by upstream again. */
const passingVersion =
  ({ about, horizon }: AnswerContext): ShowVersion =>
  (upstream) => {
    horizon.saw(heldResource(about), upstream);
    return naturalText(upstream);
  };

/** A watch from there is answered by the replica, which counts on its own. */
const listVersion =
  ({ about, request, replica, horizon }: AnswerContext): ShowVersion =>
  (upstream) => {
    horizon.saw(heldResource(about), upstream);
    const shown = replica.listVersion(heldResource(about), upstream);
    horizon.told(specOf(about, request.query), shown);
    return shown;
  };

/** A document that may be anything: an object, a table of one, a list, a Status. */
function rewriteDocument(document: Json, shows: Shows): Json {
  if (document['kind'] === 'Status') return document;
  if (document['kind'] === 'Table') return rewriteTable(document, shows);
  if (typeof document['metadata'] !== 'object' || document['metadata'] === null) return document;
  return { ...shows.object(document as unknown as KubeObject) };
}

/** Whether somebody read one object for himself, so that he may have it offline too. */
function isOwnRead({ request, about, response }: AnswerContext, document: Json): boolean {
  const one = about.verb === 'get' && about.subresource === '' && response.status === 200;
  const kind = document['kind'];
  const whole = kind !== 'Status' && kind !== 'Table' && kind !== 'PartialObjectMetadata';
  return one && whole && !impersonates(request.headers);
}

export async function answerObject(context: AnswerContext): Promise<HubResponse> {
  const { request, about, response, maxObjectBytes } = context;
  const received = await collectChunks(chunksOf(response, true), maxObjectBytes);
  const document = rewriteDocument(parseJson(received.toString('utf8')), showsOf(context));
  if (isOwnRead(context, document)) {
    context.remember(about, request.caller, document as unknown as KubeObject);
  }
  const body = Buffer.from(JSON.stringify(document));
  const { status, headers } = rewrittenHead(response);
  return { status, headers: { ...headers, 'content-length': String(body.length) }, body };
}

async function* rewriteList(context: AnswerContext): AsyncGenerator<Uint8Array, void, undefined> {
  const version = listVersion(context);
  const shows = { ...showsOf(context), version };
  const splitter = createListSplitter({ maxPieceBytes: context.maxObjectBytes });
  const rewriter = new ListRewriter(shows);
  const whole = (document: Json): Json =>
    document['items'] === undefined ? rewriteDocument(document, shows) : withServedVersion(document, version);
  const rewrite = (piece: ListPiece): string => rewriter.rewrite(piece, whole);
  for await (const chunk of chunksOf(context.response, true)) {
    let text = '';
    for (const piece of splitter.push(chunk)) text += rewrite(piece);
    if (text !== '') yield Buffer.from(text);
  }
  yield Buffer.from(rewrite(splitter.end()));
}

export function answerList(context: AnswerContext): HubResponse {
  return { ...rewrittenHead(context.response), body: rewriteList(context) };
}

async function* rewriteEvents(context: AnswerContext): AsyncGenerator<Uint8Array, void, undefined> {
  using place = watchedPlace(context, context.horizon);
  const shows = {
    ...showsOf(context, place.object(showing(context))),
    version: place.version(passingVersion(context)),
  };
  const splitter = createLineSplitter({ maxLineBytes: context.maxObjectBytes });
  for await (const chunk of chunksOf(context.response, true)) {
    let text = '';
    for (const line of splitter.push(chunk)) text += `${rewriteEvent(line, shows)}\n`;
    if (text !== '') yield Buffer.from(text);
  }
}

/** A watch may end behind any event, and its client goes on from there: so it does when its link breaks, and when the hub stops. */
async function* rewriteWatch(context: AnswerContext): AsyncGenerator<Uint8Array, void, undefined> {
  const { request, response } = context;
  using stop = scoped(request.ending);
  stop.signal.addEventListener('abort', () => response.body.destroy(), { once: true });
  if (stop.signal.aborted) response.body.destroy();
  try {
    yield* rewriteEvents(context);
  } catch (error) {
    if (!hasCode(error, 'Unavailable', 'DeadlineExceeded')) throw error;
  }
}

export function answerWatch(context: AnswerContext): HubResponse {
  return { ...rewrittenHead(context.response), body: rewriteWatch(context) };
}
