import { SelvedgeError } from '@selvedge/kit';
import type { KubeObject, ListPiece } from '@selvedge/kube';
import { naturalText } from '../replica/index.ts';
import type { ShowObject, ShowRow } from './rows.ts';

type Json = Readonly<Record<string, unknown>>;
/** How the version of a list is shown. */
export type ShowVersion = (upstream: string) => string;

/** Text that is no JSON is not what its type says. */
export function parseJson(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Json;
  } catch (cause) {
    throw new SelvedgeError('upstream answered with something that is no JSON', { code: 'Corrupt', cause });
  }
  throw new SelvedgeError('upstream answered with something that is no object', { code: 'Corrupt' });
}

/** A list, a table or a bookmark under the served version of its own metadata. */
export function withServedVersion(document: Json, show: ShowVersion = naturalText): Json {
  const metadata = document['metadata'] as { readonly resourceVersion?: string } | undefined;
  const version = metadata?.resourceVersion;
  if (version === undefined || version === '') return document;
  return { ...document, metadata: { ...metadata, resourceVersion: show(version) } };
}

/** How what an answer is made of is shown. */
export interface Shows {
  readonly object: ShowObject;
  readonly row: ShowRow;
  /** Default: as upstream's. */
  readonly version?: ShowVersion;
}

export function rewriteTable(table: Json, { row, version }: Shows): Json {
  const rows = table['rows'] as readonly Json[] | null | undefined;
  const shown = rows?.map(row);
  return { ...withServedVersion(table, version), ...(shown === undefined ? {} : { rows: shown }) };
}

/** `PodList` → `Pod`: what lists leave out of their items. */
interface ItemType {
  readonly apiVersion: unknown;
  readonly kind: string;
}

function itemTypeOf({ apiVersion, kind }: Json): ItemType | undefined {
  if (typeof kind !== 'string' || !kind.endsWith('List')) return undefined;
  return { apiVersion, kind: kind.slice(0, -'List'.length) };
}

const empty = '{"items":[';

/** Rewrites a list piece by piece; the texts that it returns, one after another, are the rewritten list. */
export class ListRewriter {
  readonly #shows: Shows;
  #type: ItemType | undefined;
  #separator = '';

  constructor(shows: Shows) {
    this.#shows = shows;
  }

  /** `whole` is called for a document that is no list after all. */
  rewrite(piece: ListPiece, whole: (document: Json) => Json): string {
    switch (piece.kind) {
      case 'head':
        return this.#head(piece.text);
      case 'item':
        return this.#item(piece.text);
      case 'tail':
        return this.#tail(piece.text);
      case 'whole':
        return JSON.stringify(whole(parseJson(piece.text)));
    }
  }

  /** The array comes last in it, so it stays open at the end. */
  #head(text: string): string {
    const head = withServedVersion(parseJson(`${text}]}`), this.#shows.version);
    this.#type = itemTypeOf(head);
    return JSON.stringify(head).slice(0, -']}'.length);
  }

  #tail(text: string): string {
    const tail = withServedVersion(parseJson(`${empty}${text}`), this.#shows.version);
    return JSON.stringify(tail).slice(empty.length);
  }

  #item(text: string): string {
    const json = JSON.stringify(this.#shown(parseJson(text)));
    const { length } = this.#separator;
    this.#separator = ',';
    return length === 0 ? json : `,${json}`;
  }

  #shown(item: Json): unknown {
    const { object: show, row } = this.#shows;
    if ('cells' in item) return row(item);
    const object = item as unknown as KubeObject;
    if (object.kind !== undefined || this.#type === undefined) return show(object);
    const { apiVersion: _version, kind: _kind, ...shown } = show({ ...this.#type, ...item } as KubeObject);
    return shown;
  }
}
