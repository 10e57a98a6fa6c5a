import { hasCode } from '@selvedge/kit';
import type { UnitAppObject } from '../../objects.ts';
import {
  type Child,
  type RenderInput,
  type UnitValues,
  hashOf,
  renderShared,
  renderUnit,
} from '../../rendering/index.ts';
import type { RevisionContent } from '../../rollout/index.ts';
import { type Intent, intentOf } from '../children/index.ts';

export type Rendered =
  | { readonly kind: 'intents'; readonly intents: readonly Intent[] }
  /** The unit cannot have this revision. */
  | { readonly kind: 'problem'; readonly why: string };

export interface RenderingOptions {
  readonly app: UnitAppObject;
  /** By the number of the revision. */
  readonly contents: ReadonlyMap<number, RevisionContent>;
  /** What a timetable says. */
  readonly replicas: number | undefined;
}

/** What a UnitApp wants in units, by revision; each is rendered once. */
export class Rendering {
  readonly #options: RenderingOptions;
  readonly #rendered = new Map<string, Rendered>();
  /** All that it depends on besides the revision and the unit. */
  readonly basis: string;

  constructor(options: RenderingOptions) {
    const { app, replicas } = options;
    const { scaling, unmanagedFields } = app.spec;
    this.#options = options;
    this.basis = hashOf(JSON.stringify([app.metadata.uid, replicas, scaling?.horizontal, unmanagedFields]));
  }

  of(unit: UnitValues, revision: number): Rendered {
    const key = `${revision}/${unit.name}`;
    const rendered = this.#rendered.get(key) ?? this.#render(unit, revision);
    this.#rendered.set(key, rendered);
    return rendered;
  }

  /** What all units share, as the revision has it. */
  shared(revision: number): Rendered {
    return this.#rendering(revision, (input) => renderShared(input));
  }

  #render(unit: UnitValues, revision: number): Rendered {
    return this.#rendering(revision, (input) => renderUnit(input, unit));
  }

  #rendering(revision: number, render: (input: RenderInput) => readonly Child[]): Rendered {
    const content = this.#options.contents.get(revision);
    if (content === undefined) return { kind: 'problem', why: `revision ${revision} is not kept` };
    try {
      return { kind: 'intents', intents: this.#intents(render(this.#input(content)), revision) };
    } catch (error) {
      if (!hasCode(error, 'Invalid')) throw error;
      return { kind: 'problem', why: error.message };
    }
  }

  #input(content: RevisionContent): RenderInput {
    const { app, replicas } = this.#options;
    const { unitSelector, scaling } = app.spec;
    const own = { unitSelector, ...(scaling === undefined ? {} : { scaling }) };
    return { app, spec: { ...own, ...content }, replicas };
  }

  #intents(children: readonly Child[], revision: number): readonly Intent[] {
    const { unmanagedFields, scaling } = this.#options.app.spec;
    const isScaledByOthers = scaling?.horizontal !== undefined;
    return children.map((child) => intentOf(child, { revision, unmanagedFields, isScaledByOthers }));
  }
}
