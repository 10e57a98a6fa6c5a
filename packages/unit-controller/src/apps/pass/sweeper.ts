import { BoundedMap, hasCode } from '@selvedge/kit';
import { type KubeClient, keyOf } from '@selvedge/kube';
import { edgeUnitResource } from '../../objects.ts';
import type { AppView } from '../view/index.ts';
import type { Keeper } from '../keeping/index.ts';
import { timeoutMs } from '../writing.ts';
import { byUnit, leftOfShared } from './leftovers.ts';
import type { Look } from './look.ts';

export interface SweeperDeps {
  readonly client: Pick<KubeClient, 'get'>;
  readonly view: AppView;
  readonly keeper: Keeper;
}

/** UnitApps that have just left units. */
const maxApps = 10_000;
/** A label that is written anew is gone for a moment; what runs in the unit is not to go with it. */
const graceMs = 10_000;

/** Takes away what is of units that are not selected any more, and of revisions that are not kept. */
export class Sweeper {
  readonly #deps: SweeperDeps;
  /** Of each UnitApp the units that are there and not selected any more, with when that was seen first. */
  readonly #left = new BoundedMap<string, ReadonlyMap<string, number>>({ capacity: maxApps });

  constructor(deps: SweeperDeps) {
    this.#deps = deps;
  }

  /** The moments at which more may be taken away. */
  async sweep(look: Look, signal: AbortSignal): Promise<readonly number[]> {
    const { app, units, history, shared, facts } = look;
    const { view, keeper } = this.#deps;
    const made = view.childrenOf(keyOf(app));
    const selected = new Set(units.map(({ name }) => name));
    const revisions = new Set(Array.from(history.revisions.values(), ({ name }) => name));
    const intents = shared.kind === 'intents' ? shared.intents : undefined;
    const others = Array.from(byUnit(app, made)).filter(([unit]) => !selected.has(unit));
    const leaving = this.#leavingOf(
      look,
      others.map(([unit]) => unit),
    );
    const gone = others.map(async ([unit, ofUnit]) => {
      const endsMs = leaving.get(unit);
      const isOver = endsMs === undefined ? await this.#isGone(unit, signal) : endsMs <= facts.nowMs;
      return isOver ? ofUnit : [];
    });
    const all = [...leftOfShared(app, { intents, revisions }, made), ...(await Promise.all(gone)).flat()];
    await Promise.all(all.map((one) => keeper.remove(one, signal)));
    return Array.from(leaving.values()).filter((ms) => ms > facts.nowMs && ms < Infinity);
  }

  /** Of units that are there and not selected any more, when what they have goes. */
  #leavingOf({ app, facts, isEmptied }: Look, units: readonly string[]): ReadonlyMap<string, number> {
    const { uid = '' } = app.metadata;
    const before = this.#left.get(uid);
    const there = units.filter((unit) => this.#deps.view.readers.units.get(unit) !== undefined);
    const since = new Map(there.map((unit) => [unit, before?.get(unit) ?? facts.nowMs] as const));
    if (since.size === 0) this.#left.delete(uid);
    else this.#left.set(uid, since);
    return new Map(Array.from(since, ([unit, ms]) => [unit, isEmptied ? Infinity : ms + graceMs] as const));
  }

  /**
   * Everything that runs in a unit hangs on this: of a unit that is not known here the API server is asked, and only its word
   * that this unit is not there counts. Without the definition of EdgeUnits it says something else.
   */
  async #isGone(unit: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#deps.client.get(edgeUnitResource, { name: unit }, { timeoutMs, signal });
      return false;
    } catch (error) {
      if (!hasCode(error, 'NotFound')) throw error;
      return error.details['reason'] === 'NotFound';
    }
  }
}
