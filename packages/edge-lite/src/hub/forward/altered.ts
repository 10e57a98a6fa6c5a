import { BoundedMap } from '@selvedge/kit';
import type { ApplyViews, HeldResource, ObjectName, Replica } from '../replica/types.ts';
import type { Viewed } from './restored.ts';

export interface AlteredOptions {
  /** Objects that are not held. Default 64. */
  readonly maxObjects?: number;
  /** Characters of their JSON, as upstream has them and as they were shown. Default 8 Mi. */
  readonly maxLength?: number;
}

export interface AlteredDeps {
  readonly replica: Pick<Replica, 'base'>;
  readonly views: ApplyViews;
}

/** Objects that are shown otherwise than upstream has them, for who writes them back. */
export interface Altered {
  /** Told of each object that views were applied to for an answer. Of one that is held nothing is kept. */
  note(resource: HeldResource, shown: Viewed): void;
  /** One was deleted: what is held of it goes, and who was shown it may create it again. */
  deleted(resource: HeldResource, shown: Viewed): void;
  /** What is held, else what was shown here last. Undefined: it was shown as upstream has it, or never. */
  viewed(resource: HeldResource, at: ObjectName): Viewed | undefined;
}

const keyOf = (resource: HeldResource, { namespace, name }: ObjectName): string =>
  `${resource} ${namespace}/${name}`;

const nameOf = ({ base: { metadata } }: Viewed): ObjectName => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
});

/** Texts of the last objects. */
class Kept {
  readonly #texts: BoundedMap<string, string>;
  readonly #maxLength: number;
  #length = 0;

  constructor({ maxObjects = 64, maxLength = 8 * 2 ** 20 }: AlteredOptions) {
    this.#maxLength = maxLength;
    this.#texts = new BoundedMap({
      capacity: maxObjects,
      onEvict: (_key, text) => (this.#length -= text.length),
    });
  }

  get(key: string): Viewed | undefined {
    const text = this.#texts.get(key);
    return text === undefined ? undefined : (JSON.parse(text) as Viewed);
  }

  delete(key: string): void {
    this.#length -= this.#texts.get(key)?.length ?? 0;
    this.#texts.delete(key);
  }

  /** One that is too large for all the room is not kept. */
  set(key: string, { base, viewed }: Viewed): void {
    this.delete(key);
    const text = JSON.stringify({ base, viewed });
    if (text.length > this.#maxLength) return;
    this.#texts.set(key, text);
    this.#length += text.length;
    for (const oldest of this.#texts.keys()) {
      if (this.#length <= this.#maxLength) return;
      this.delete(oldest);
    }
  }
}

export function createAltered(options: AlteredOptions, { replica, views }: AlteredDeps): Altered {
  const kept = new Kept(options);
  const keep = (key: string, shown: Viewed): void =>
    shown.viewed === shown.base ? kept.delete(key) : kept.set(key, shown);
  return {
    note(resource, shown) {
      const at = nameOf(shown);
      if (shown.viewed !== shown.base && replica.base(resource, at) !== undefined) return;
      keep(keyOf(resource, at), shown);
    },
    deleted: (resource, shown) => keep(keyOf(resource, nameOf(shown)), shown),
    viewed(resource, at) {
      const base = replica.base(resource, at);
      if (base === undefined) return kept.get(keyOf(resource, at));
      const viewed = views(resource, base);
      return viewed === base ? undefined : { base, viewed };
    },
  };
}
