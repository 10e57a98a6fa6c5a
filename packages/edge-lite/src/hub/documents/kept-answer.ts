import { createGunzip } from 'node:zlib';
import { notAcceptable, staleHeaders, takesGzip, type Autonomy } from '../answers/index.ts';
import type { HubRequest, HubResponse } from '../request.ts';
import type { Archive, DocumentHead } from './archive.ts';
import { separateDocuments, type GroupDiscoveryList } from './discovery.ts';
import { chooseMedia } from './media.ts';
import { aggregated, aggregatedAccept } from './media-types.ts';
import { plainPath } from './paths.ts';
import { unzippedNow } from './unzip.ts';

const bareTag = (text: string): string => text.trim().replace(/^W\//, '');

function matchesTag(header: string | undefined, etag: string | undefined): boolean {
  if (header === undefined || etag === undefined) return false;
  return header.split(',').some((one) => one.trim() === '*' || bareTag(one) === bareTag(etag));
}

/** The kept form of a document that the client likes best. */
export function chosenHead({ path, headers }: HubRequest, archive: Archive): DocumentHead | undefined {
  const heads = archive.headsOf(plainPath(path));
  const media = chooseMedia(
    headers['accept'],
    heads.map((head) => head.media),
  );
  return heads.find((head) => head.media === media);
}

export interface Kept {
  readonly head: DocumentHead;
  readonly archive: Archive;
  /** Undefined: upstream has just said that it is as it was. */
  readonly autonomy: Autonomy | undefined;
}

/** As fast as it is read, piece by piece: some documents are large. */
async function* unzippedPieces(zipped: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  const stream = createGunzip({ chunkSize: 64 * 1024 });
  stream.end(zipped);
  for await (const chunk of stream) yield chunk as Uint8Array;
}

/** A kept document as an answer; undefined if it is gone. */
export function keptAnswer({ headers: asked }: HubRequest, kept: Kept): HubResponse | undefined {
  const { head, archive, autonomy } = kept;
  const headers = {
    'content-type': head.contentType,
    vary: 'Accept, Accept-Encoding',
    ...(head.etag === undefined ? {} : { etag: head.etag }),
    ...(autonomy === undefined ? {} : staleHeaders(autonomy)),
  };
  if (matchesTag(asked['if-none-match'], head.etag)) return { status: 304, headers, body: Buffer.alloc(0) };
  const zipped = archive.bodyOf(head);
  if (zipped === undefined) return undefined;
  if (!takesGzip(asked['accept-encoding'])) return { status: 200, headers, body: unzippedPieces(zipped) };
  return { status: 200, headers: { ...headers, 'content-encoding': 'gzip' }, body: zipped };
}

/** As much as one is kept of, see `DocumentsOptions`. */
const maxDiscoveryBytes = 16 * 1024 * 1024;

/** Aggregated discovery below `/api` or `/apis`, as it is kept. */
export function keptDiscovery(root: '/api' | '/apis', archive: Archive): GroupDiscoveryList | undefined {
  const head = archive.headsOf(root).find(({ media }) => media === aggregated);
  const zipped = head === undefined ? undefined : archive.bodyOf(head);
  const text = zipped === undefined ? undefined : unzippedNow(zipped, maxDiscoveryBytes);
  return text === undefined ? undefined : (JSON.parse(text.toString('utf8')) as GroupDiscoveryList);
}

/** Clients that know no aggregated discovery get theirs made from it. Undefined: it does not have that path. */
export function derivedAnswer(
  { path, headers }: HubRequest,
  archive: Archive,
  autonomy: Autonomy,
): HubResponse | undefined {
  const plain = plainPath(path);
  const root = plain === '/api' || plain.startsWith('/api/') ? '/api' : '/apis';
  const list = keptDiscovery(root, archive);
  const document = list === undefined ? undefined : separateDocuments(root, list).get(plain);
  if (document === undefined) return undefined;
  const media = chooseMedia(headers['accept'], ['application/json']);
  if (media === undefined) throw notAcceptable(['application/json', aggregatedAccept]);
  const body = Buffer.from(`${JSON.stringify(document)}\n`);
  return { status: 200, headers: { 'content-type': media, ...staleHeaders(autonomy) }, body };
}
