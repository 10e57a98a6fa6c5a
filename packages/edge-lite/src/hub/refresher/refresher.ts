import { setImmediate } from 'node:timers/promises';
import { type Logger, type Service, createTaskGroup } from '@selvedge/kit';
import type { HeldResource, ObjectName, Replica } from '../replica/types.ts';
import type { View } from '../views/types.ts';

export interface RefresherDeps {
  readonly replica: Pick<Replica, 'reader' | 'refresh'>;
  readonly views: readonly View[];
  readonly log: Logger;
}

/** Undefined is all. */
type Names = ReadonlyMap<string, ObjectName> | undefined;

/** Objects that are shown anew before others get their turn. */
const pieceSize = 100;

const setOf = (names: readonly ObjectName[]): NonNullable<Names> =>
  new Map(names.map(({ namespace, name }) => [`${namespace}/${name}`, { namespace, name }]));

const both = (a: Names, b: Names): Names =>
  a === undefined || b === undefined ? undefined : new Map([...a, ...b]);

/** All objects of a resource, read as they are taken. */
function* pages(replica: RefresherDeps['replica'], resource: HeldResource): Generator<readonly ObjectName[]> {
  for (let after: ObjectName | undefined; ; ) {
    const page = replica.reader(resource).page({ after, limit: pieceSize });
    if (page === 'expired' || page.length === 0) return;
    yield page.map(({ namespace, name }) => ({ namespace, name }));
    after = page.at(-1);
  }
}

function* chunks(names: readonly ObjectName[]): Generator<readonly ObjectName[]> {
  for (let from = 0; from < names.length; from += pieceSize) yield names.slice(from, from + pieceSize);
}

class Refresher implements Service {
  readonly name = 'views';
  readonly #deps: RefresherDeps;
  readonly #waiting = new Map<HeldResource, Names>();
  readonly #tasks;
  #subscriptions = new DisposableStack();
  #isBusy = false;

  constructor(deps: RefresherDeps) {
    const { log } = deps;
    this.#deps = deps;
    this.#tasks = createTaskGroup(
      { name: this.name },
      { onFailure: (error) => log.error('views are not shown anew any more', { error }) },
    );
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#isBusy = true;
    for (const { resources } of this.#deps.views)
      for (const resource of resources) this.#waiting.set(resource, undefined);
    for (const view of this.#deps.views) {
      const subscription = view.onChange?.((resource, names) => this.#want(resource, names));
      if (subscription !== undefined) this.#subscriptions.use(subscription);
    }
    await this.#work(signal);
  }

  async stop(): Promise<void> {
    this.#subscriptions.dispose();
    this.#waiting.clear();
    await this.#tasks.stop();
  }

  #want(resource: HeldResource, names: readonly ObjectName[] | undefined): void {
    const wanted = names === undefined ? undefined : setOf(names);
    const known = this.#waiting;
    known.set(resource, known.has(resource) ? both(known.get(resource), wanted) : wanted);
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#tasks.run('refresh', async (signal) => {
      // Never inside the change that caused it, and together with what else changes now.
      await Promise.resolve();
      await this.#work(signal);
    });
  }

  async #work(signal: AbortSignal): Promise<void> {
    try {
      let done = 0;
      for (const [resource, piece] of this.#pieces()) {
        this.#refresh(resource, piece);
        done += piece.length;
        if (done < pieceSize) continue;
        done = 0;
        await setImmediate();
        signal.throwIfAborted();
      }
    } finally {
      this.#isBusy = false;
    }
  }

  /** Until nothing waits; what comes meanwhile too. */
  *#pieces(): Generator<readonly [HeldResource, readonly ObjectName[]]> {
    for (const [resource, names] of this.#waiting) {
      this.#waiting.delete(resource);
      const found = names === undefined ? pages(this.#deps.replica, resource) : chunks([...names.values()]);
      for (const piece of found) yield [resource, piece];
    }
  }

  #refresh(resource: HeldResource, names: readonly ObjectName[]): void {
    try {
      this.#deps.replica.refresh(resource, names);
    } catch (error) {
      this.#deps.log.error('views not shown anew', { resource, error });
    }
  }
}

/**
 * Has objects shown anew when an input of a view changed: soon, together, piece by piece, and never inside the change that
 * caused it. Its start shows all that views concern anew, for their inputs may be others than in the last run.
 */
export function createRefresher(deps: RefresherDeps): Service {
  return new Refresher(deps);
}
