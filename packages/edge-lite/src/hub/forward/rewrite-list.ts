import { SelvedgeError } from '@selvedge/kit';
import type { KubeObject, ListPiece } from '@selvedge/kube';
import { naturalText } from '../replica/index.ts';

type Json = Readonly<Record<string, unknown>>;
/** How one object is shown. */
export type ShowObject = (object: KubeObject) => KubeObject;
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

/** One row of a Table: its object may be left out, reduced or whole. Source: meta.k8s.io/v1 TableRow. */
function rewriteRow(row: Json, show: ShowObject): Json {
  const object = row['object'] as KubeObject | null | undefined;
  return object?.metadata === undefined ? row : { ...row, object: show(object) };
}

export function rewriteTable(table: Json, show: ShowObject, version?: ShowVersion): Json {
  const rows = table['rows'] as readonly Json[] | null | undefined;
  const shown = rows?.map((row) => rewriteRow(row, show));
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
  readonly #show: ShowObject;
  readonly #version: ShowVersion;
  #type: ItemType | undefined;
  #separator = '';

  constructor(show: ShowObject, version: ShowVersion) {
    this.#show = show;
    this.#version = version;
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
    const head = withServedVersion(parseJson(`${text}]}`), this.#version);
    this.#type = itemTypeOf(head);
    return JSON.stringify(head).slice(0, -']}'.length);
  }

  #tail(text: string): string {
    const tail = withServedVersion(parseJson(`${empty}${text}`), this.#version);
    return JSON.stringify(tail).slice(empty.length);
  }

  #item(text: string): string {
    const json = JSON.stringify(this.#shown(parseJson(text)));
    const { length } = this.#separator;
    this.#separator = ',';
    return length === 0 ? json : `,${json}`;
  }

  #shown(item: Json): unknown {
    if ('cells' in item) return rewriteRow(item, this.#show);
    const object = item as unknown as KubeObject;
    if (object.kind !== undefined || this.#type === undefined) return this.#show(object);
    const {
      apiVersion: _version,
      kind: _kind,
      ...shown
    } = this.#show({ ...this.#type, ...item } as KubeObject);
    return shown;
  }
}
