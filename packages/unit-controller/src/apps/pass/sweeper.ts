import { hasCode } from '@selvedge/kit';
import { type KubeClient, keyOf } from '@selvedge/kube';
import { edgeUnitResource } from '../../objects.ts';
import type { AppView } from '../view/index.ts';
import type { Keeper } from '../keeping/index.ts';
import { timeoutMs } from '../writing.ts';
import { byUnit, leftOfShared } from './leftovers.ts';
import { type Look, sharedIntents } from './look.ts';

export interface SweeperDeps {
  readonly client: Pick<KubeClient, 'get'>;
  readonly view: AppView;
  readonly keeper: Keeper;
}

/** Takes away what is of units that are not selected any more, and of revisions that are not kept. */
export class Sweeper {
  readonly #deps: SweeperDeps;

  constructor(deps: SweeperDeps) {
    this.#deps = deps;
  }

  async sweep(look: Look, signal: AbortSignal): Promise<void> {
    const { app, units, history } = look;
    const { view, keeper } = this.#deps;
    const made = view.childrenOf(keyOf(app));
    const selected = new Set(units.map(({ name }) => name));
    const revisions = new Set(Array.from(history.revisions.values(), ({ name }) => name));
    const left = leftOfShared(app, { intents: sharedIntents(look), revisions }, made);
    const others = Array.from(byUnit(app, made)).filter(([unit]) => !selected.has(unit));
    const gone = others.map(async ([unit, ofUnit]) => ((await this.#isLeft(unit, signal)) ? ofUnit : []));
    const all = [...left, ...(await Promise.all(gone)).flat()];
    await Promise.all(all.map((one) => keeper.remove(one, signal)));
  }

  /**
   * Everything that runs in a unit hangs on this: of a unit that is not known here the API server is asked, and only its word
   * that this unit is not there counts. Without the definition of EdgeUnits it says something else.
   */
  async #isLeft(unit: string, signal: AbortSignal): Promise<boolean> {
    const { client, view } = this.#deps;
    if (view.readers.units.get(unit) !== undefined) return true;
    try {
      await client.get(edgeUnitResource, { name: unit }, { timeoutMs, signal });
      return false;
    } catch (error) {
      if (!hasCode(error, 'NotFound')) throw error;
      return error.details['reason'] === 'NotFound';
    }
  }
}
