import { type Logger, type Scope, type TaskGroup, createTaskGroup, scoped } from '@selvedge/kit';
import type { ObjectRef } from '../../pods/index.ts';
import { Membership, type MembershipDeps, specOfObject } from '../source/index.ts';
import type { Caller } from '../request.ts';

export interface HeldObjectsOptions {
  readonly caller: Caller;
  /** Objects held at a time. */
  readonly maxObjects: number;
}

const keyOf = ({ resource, namespace = '', name }: ObjectRef): string => `${resource} ${namespace}/${name}`;

/** The Node authorizer hears of a pod later than its node does: that it refuses at first is nothing to tell of. */
function patient(log: Logger): Logger {
  return {
    error: (text, fields) => log.error(text, fields),
    warn: (text, fields) => log.debug(text, fields),
    info: (text, fields) => log.debug(text, fields),
    debug: (text, fields) => log.debug(text, fields),
    with: (fields) => patient(log.with(fields)),
  };
}

/** Single objects, each in the coverage that the kubelet opens for it: a list-watch of its name. */
export class HeldObjects {
  readonly #options: HeldObjectsOptions;
  readonly #deps: MembershipDeps;
  readonly #scopes = new Map<string, Scope>();
  readonly #tasks: TaskGroup;

  constructor(options: HeldObjectsOptions, deps: MembershipDeps) {
    const { log } = deps;
    this.#options = options;
    this.#deps = { ...deps, log: patient(log) };
    this.#tasks = createTaskGroup(
      { name: 'objects of pods' },
      { onFailure: (error, object) => log.error('object of a pod not held', { object, error }) },
    );
  }

  get size(): number {
    return this.#scopes.size;
  }

  /** These and no others. */
  want(refs: Iterable<ObjectRef>): void {
    const wanted = new Map(Array.from(refs, (ref) => [keyOf(ref), ref]));
    for (const [key, scope] of this.#scopes) {
      if (wanted.has(key)) continue;
      this.#scopes.delete(key);
      scope.abort();
    }
    for (const [key, ref] of wanted) if (!this.#scopes.has(key)) this.#hold(key, ref);
  }

  async stop(): Promise<void> {
    await this.#tasks.stop();
    this.#scopes.clear();
  }

  #hold(key: string, ref: ObjectRef): void {
    if (this.#tasks.signal.aborted || this.#scopes.size >= this.#options.maxObjects) return;
    const scope = scoped(this.#tasks.signal);
    this.#scopes.set(key, scope);
    const { caller } = this.#options;
    const membership = new Membership({ spec: specOfObject(ref), caller }, this.#deps);
    this.#tasks.run(key, async () => {
      try {
        await membership.run(scope.signal);
      } catch (error) {
        if (!scope.signal.aborted) throw error;
      }
    });
  }
}
