import { SelvedgeError } from '@selvedge/kit';
import type { ReplicaTables, RowKey } from '../../store/index.ts';
import { rowKey } from './bank.ts';

export interface OverlayCaps {
  readonly maxOverlays: number;
  readonly maxOverlayBytes: number;
}

/** Which objects have an overlay and how large it is, without its text. */
export class OverlayIndex {
  readonly #caps: OverlayCaps;
  readonly #known = new Map<string, { readonly key: RowKey; readonly size: number }>();
  #bytes = 0;

  constructor(caps: OverlayCaps, tables: Pick<ReplicaTables, 'overlays'>) {
    this.#caps = caps;
    for (const overlay of tables.overlays.all()) this.set(overlay, overlay.json.length);
  }

  get size(): number {
    return this.#known.size;
  }

  keys(): readonly RowKey[] {
    return Array.from(this.#known.values(), ({ key }) => key);
  }

  has(key: RowKey): boolean {
    return this.#known.has(rowKey(key));
  }

  set(key: RowKey, size: number): void {
    this.delete(key);
    const { resource, namespace, name } = key;
    this.#known.set(rowKey(key), { key: { resource, namespace, name }, size });
    this.#bytes += size;
  }

  delete(key: RowKey): void {
    this.#bytes -= this.#sizeOf(key) ?? 0;
    this.#known.delete(rowKey(key));
  }

  /** Throws `ResourceExhausted` when an overlay of `size` would be over a cap. */
  check(key: RowKey, size: number): void {
    const known = this.#sizeOf(key);
    const count = this.#known.size + (known === undefined ? 1 : 0);
    const bytes = this.#bytes - (known ?? 0) + size;
    const { maxOverlays, maxOverlayBytes } = this.#caps;
    if (count <= maxOverlays && bytes <= maxOverlayBytes) return;
    const what = count > maxOverlays ? `${maxOverlays} objects` : `${maxOverlayBytes} bytes`;
    throw new SelvedgeError(`local changes of ${what} wait for the cloud already`, {
      code: 'ResourceExhausted',
    });
  }

  #sizeOf(key: RowKey): number | undefined {
    return this.#known.get(rowKey(key))?.size;
  }
}
