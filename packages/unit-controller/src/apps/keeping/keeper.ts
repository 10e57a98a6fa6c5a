import { BoundedMap, type Limiter, SelvedgeError, hasCode } from '@selvedge/kit';
import {
  type KubeClient,
  type KubeObject,
  applyPatch,
  isObject,
  jsonPatch,
  mergePatched,
  refOfKey,
} from '@selvedge/kube';
import { unitAppManager } from '../../rendering/index.ts';
import type { AppView, Made } from '../view/index.ts';
import type { AppMetrics } from '../metrics.ts';
import { unitAppOf } from '../owner.ts';
import { timeoutMs, writing } from '../writing.ts';
import {
  type ChildStep,
  type Intent,
  type SeenChild,
  planChild,
  revisionOf,
  withoutFields,
} from '../children/index.ts';

export interface KeeperDeps {
  readonly client: Pick<KubeClient, 'get' | 'patch' | 'delete'>;
  readonly view: AppView;
  readonly metrics: AppMetrics;
  /** Of writes at a time, for all UnitApps together. */
  readonly limiter: Limiter;
}

/** Whose object it is, and how it was when that was decided. */
export interface KeepOptions {
  /** The UnitApp's uid. */
  readonly owner: string;
  /** Of a step: the revision that its clone was made from when the step was planned. Default: it is no step. */
  readonly step?: { readonly from: number | undefined } | undefined;
  readonly signal: AbortSignal;
}

/** Brings single objects to what UnitApps want of them. */
export interface Keeper {
  /**
   * Whether it already was as it should be. Rejects with `Invalid` if it cannot be, an object of somebody else among the
   * reasons, and with `Conflict` if somebody else was faster.
   */
  keep(intent: Intent, options: KeepOptions): Promise<boolean>;
  remove(made: Made, signal: AbortSignal): Promise<void>;
}

/** Objects that are never as they were asked to be. */
const maxFutile = 10_000;
/** To make it, to give fields up, to apply it, and to see that nothing is left. */
const maxRounds = 4;
/** No object ever has it: an apply with it makes an object, and changes none. */
const versionOfNone = '1';

/** What an object is after an apply, and what was applied. */
const outcomeOf = ({ hash }: Intent, { metadata, owned }: SeenChild): string =>
  [hash, metadata.uid, owned?.hash].join('/');

type Step = Exclude<ChildStep, { kind: 'none' }>;

class ChildKeeper implements Keeper {
  readonly #deps: KeeperDeps;
  /** By key, what an apply led to where that is not what was asked for: a webhook changes it each time. */
  readonly #futile = new BoundedMap<string, string>({ capacity: maxFutile });

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
  }

  async keep(intent: Intent, options: KeepOptions): Promise<boolean> {
    const { view } = this.#deps;
    const { resource, key } = intent;
    const name = `${resource.plural}/${key}`;
    let seen = view.child(resource, key);
    expectStill(seen, options);
    for (let round = 0, isApplied = false; round < maxRounds; round += 1) {
      const step = planChild(intent, seen, options.owner);
      if (step.kind === 'none') return this.#without(step, intent, round);
      if (seen !== undefined && isApplied) this.#futile.set(name, outcomeOf(intent, seen));
      if (seen !== undefined && this.#futile.get(name) === outcomeOf(intent, seen)) return round === 0;
      seen = await this.#execute(step, { ...intent, seen }, options);
      isApplied ||= step.kind === 'apply';
    }
    return false;
  }

  async remove({ resource, object }: Made, signal: AbortSignal): Promise<void> {
    const { client, metrics, limiter } = this.#deps;
    const { namespace, name = '', uid = '' } = object.metadata;
    const options = { preconditions: { uid }, propagationPolicy: 'Background', timeoutMs, signal } as const;
    metrics.writes.add({ what: 'delete' });
    try {
      await limiter.run(signal, () => client.delete(resource, { namespace, name }, options));
    } catch (error) {
      // It is gone, or another has its name.
      if (!hasCode(error, 'NotFound', 'Conflict')) throw error;
    }
  }

  #without(step: Extract<ChildStep, { kind: 'none' }>, intent: Intent, round: number): boolean {
    if (step.why === 'foreign') throw this.#foreign(intent);
    return step.why === 'settled' && round === 0;
  }

  #foreign({ resource, key }: Intent): SelvedgeError {
    const message = `the ${resource.kind} ${refOfKey(key).name} is there and is not this UnitApp's`;
    return new SelvedgeError(message, { code: 'Invalid' });
  }

  async #execute(
    step: Step,
    intent: Intent & { readonly seen: SeenChild | undefined },
    options: KeepOptions,
  ): Promise<SeenChild | undefined> {
    const { metrics, limiter } = this.#deps;
    metrics.writes.add({ what: step.kind });
    return limiter.run(options.signal, () => {
      if (step.kind === 'create' || intent.seen === undefined) return this.#create(intent, options);
      if (step.kind === 'release') return this.#release(intent, step.pointers, options.signal);
      return this.#apply(intent, intent.seen, options.signal);
    });
  }

  async #create(intent: Intent, { owner, signal }: KeepOptions): Promise<SeenChild | undefined> {
    const { resource, key, made } = intent;
    const { client, view } = this.#deps;
    try {
      return await this.#patch(intent, mergePatched(made, versioned(versionOfNone)), signal);
    } catch (error) {
      if (!hasCode(error, 'Conflict')) throw error;
      const present = await client.get(resource, refOfKey(key), { timeoutMs, signal });
      // It is ours, and this process had not heard of it.
      if (unitAppOf(present)?.uid === owner) return view.wroteChild(resource, present);
      throw this.#foreign(intent);
    }
  }

  /** On the condition that it is what was seen: what has overtaken this look is not undone by it. */
  #apply(intent: Intent, { metadata }: SeenChild, signal: AbortSignal): Promise<SeenChild> {
    const { resourceVersion } = metadata;
    return this.#patch(intent, mergePatched(intent.kept, versioned(resourceVersion)), signal);
  }

  async #patch({ resource, key }: Intent, body: unknown, signal: AbortSignal): Promise<SeenChild> {
    const { client, view } = this.#deps;
    const patch = applyPatch(body as object);
    const options = { ...writing, patch, force: true, signal };
    return view.wroteChild(resource, await client.patch(resource, refOfKey(key), options));
  }

  /** A field that an applier has and does not name any more is taken away; one that he never had stays. */
  async #release(
    { resource, key }: Intent,
    pointers: readonly string[],
    signal: AbortSignal,
  ): Promise<SeenChild | undefined> {
    const { client, view } = this.#deps;
    const present = await client.get(resource, refOfKey(key), { timeoutMs, signal });
    const operations = releasing(present, pointers);
    if (operations === undefined) return view.wroteChild(resource, present);
    const options = { ...writing, patch: jsonPatch(operations), signal };
    return view.wroteChild(resource, await client.patch(resource, refOfKey(key), options));
  }
}

function expectStill(seen: SeenChild | undefined, { step }: KeepOptions): void {
  if (step === undefined || (seen === undefined ? undefined : revisionOf(seen)) === step.from) return;
  throw new SelvedgeError('the clone has been brought to another revision', { code: 'Conflict' });
}

const versioned = (resourceVersion: string | undefined): object => ({ metadata: { resourceVersion } });

function releasing(
  { metadata }: KubeObject,
  pointers: readonly string[],
): Parameters<typeof jsonPatch>[0] | undefined {
  const { managedFields = [], resourceVersion } = metadata;
  const place = managedFields.findIndex(
    ({ manager, operation }) => manager === unitAppManager && operation === 'Apply',
  );
  const fields = managedFields[place]?.fieldsV1;
  if (!isObject(fields)) return undefined;
  const value = withoutFields(fields, pointers);
  return [
    // With it the server compares: a failed `test` would be an invalid patch, not a conflict.
    { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
    { op: 'replace', path: `/metadata/managedFields/${place}/fieldsV1`, value },
  ];
}

export const createKeeper = (deps: KeeperDeps): Keeper => new ChildKeeper(deps);
