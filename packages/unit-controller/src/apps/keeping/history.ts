import { SelvedgeError, hasCode } from '@selvedge/kit';
import { type KubeClient, type KubeObject, keyOf, resources } from '@selvedge/kube';
import type { ControllerRevision, Secret } from '@selvedge/kube/types';
import { type UnitAppObject, nameOf } from '../../objects.ts';
import {
  type HistoryPlan,
  type Revision,
  type RevisionContent,
  contentOf,
  hashOfContent,
  planHistory,
} from '../../rollout/index.ts';
import type { AppView } from '../view/index.ts';
import type { AppMetrics } from '../metrics.ts';
import { unitAppOf } from '../owner.ts';
import { isFinal } from '../outcomes.ts';
import { writing } from '../writing.ts';
import { type StoredRevision, contentWith, objectsOf, storedRevisionOf } from '../revisions/index.ts';

export interface HistoryDeps {
  readonly client: Pick<KubeClient, 'create' | 'get' | 'delete'>;
  readonly view: AppView;
  readonly metrics: AppMetrics;
}

/** The revisions of one UnitApp, as far as they are kept. */
export interface KeptHistory {
  readonly revisions: ReadonlyMap<number, StoredRevision>;
  /** What is to be rolled out; undefined: `rollbackTo` names one that is not kept. */
  readonly wanted: StoredRevision | undefined;
  /** Why nothing can be rolled out. */
  readonly problem?: string;
  readonly remove: HistoryPlan['remove'];
}

/** Keeps the revisions of UnitApps: all that a clone is made from is in the cluster before the clone. */
export interface History {
  /** With the revision of the spec, which is made if it is not there. `inUse` stays whatever the limit. */
  keep(app: UnitAppObject, inUse: ReadonlySet<number>, signal: AbortSignal): Promise<KeptHistory>;
  /** Undefined: its Secrets are gone. */
  content(
    app: UnitAppObject,
    revision: StoredRevision,
    signal: AbortSignal,
  ): Promise<RevisionContent | undefined>;
  remove(app: UnitAppObject, revisions: readonly Revision[], signal: AbortSignal): Promise<void>;
}

const exists = (error: unknown): undefined => {
  if (hasCode(error, 'AlreadyExists')) return undefined;
  throw error;
};

const absent = (error: unknown): undefined => {
  if (hasCode(error, 'NotFound', 'Conflict')) return undefined;
  throw error;
};

const isOf = ({ metadata }: UnitAppObject, object: KubeObject): boolean =>
  unitAppOf(object)?.uid === metadata.uid;

const foreign = (kind: string, name: string): SelvedgeError =>
  new SelvedgeError(`the ${kind} ${name} is there and is not this UnitApp's`, { code: 'Invalid' });

/** Ours only: those of a UnitApp that had the name before are on their way out. */
function storedOf(app: UnitAppObject, objects: readonly ControllerRevision[]): readonly StoredRevision[] {
  return objects.filter((object) => isOf(app, object)).flatMap((object) => storedRevisionOf(object) ?? []);
}

class ClusterHistory implements History {
  readonly #deps: HistoryDeps;

  constructor(deps: HistoryDeps) {
    this.#deps = deps;
  }

  async keep(app: UnitAppObject, inUse: ReadonlySet<number>, signal: AbortSignal): Promise<KeptHistory> {
    const { metadata, spec } = app;
    const newest = `${metadata.namespace ?? ''}/${nameOf(app)}-${hashOfContent(contentOf(spec))}`;
    const stored = storedOf(app, this.#deps.view.revisionsOf(keyOf(app), [newest]));
    const plan = planHistory({ revisions: stored, spec, inUse });
    const { create, wanted, remove } = plan;
    const kept = new Map(stored.map((one) => [one.number, one] as const));
    try {
      if (create === undefined) await this.#restoreSecret(app, stored, signal);
      const made = create && (await this.#create(app, create, signal));
      // Who made it at the same time may have given it another number.
      if (made !== undefined) kept.set(made.number, made);
      if (made !== undefined && wanted === create) return { revisions: kept, remove, wanted: made };
    } catch (error) {
      if (!isFinal(error)) throw error;
      return { revisions: kept, remove, wanted: undefined, problem: error.message };
    }
    if (wanted !== undefined) return { revisions: kept, remove, wanted: kept.get(wanted.number) };
    const problem = `revision ${spec.rollbackTo} is not kept`;
    return { revisions: kept, remove, wanted: undefined, problem };
  }

  async content(
    app: UnitAppObject,
    stored: StoredRevision,
    signal: AbortSignal,
  ): Promise<RevisionContent | undefined> {
    if (!stored.hasSecrets) return stored.content;
    const own = contentOf(app.spec);
    if (hashOfContent(own) === stored.hash) return own;
    const at = { namespace: app.metadata.namespace, name: stored.name };
    const secret = await this.#deps.client.get(resources.secrets, at, { ...writing, signal }).catch(absent);
    return secret === undefined ? undefined : contentWith(stored, secret);
  }

  /** The Secret goes last: one that is left is taken away like any object that is not wanted. */
  async remove(app: UnitAppObject, revisions: readonly Revision[], signal: AbortSignal): Promise<void> {
    const { client, metrics } = this.#deps;
    for (const { hash } of revisions) {
      const at = { namespace: app.metadata.namespace, name: `${nameOf(app)}-${hash}` };
      metrics.writes.add({ what: 'revision' });
      await client.delete(resources.controllerRevisions, at, { ...writing, signal }).catch(absent);
    }
  }

  /** The Secret first: a revision that is there is there as a whole. */
  async #create(app: UnitAppObject, revision: Revision, signal: AbortSignal): Promise<StoredRevision> {
    const { client, view, metrics } = this.#deps;
    const objects = objectsOf(app, revision, contentOf(app.spec));
    const options = { ...writing, signal };
    metrics.writes.add({ what: 'revision' });
    if (objects.secret !== undefined) await this.#keepSecret(app, objects.secret, signal);
    const { namespace, name = '' } = objects.revision.metadata;
    const made =
      (await client.create(resources.controllerRevisions, objects.revision, options).catch(exists)) ??
      (await client.get(resources.controllerRevisions, { namespace, name }, options));
    view.wroteRevision(made);
    const [stored] = storedOf(app, [made]);
    if (stored !== undefined) return stored;
    throw foreign('ControllerRevision', name);
  }

  /** The spec says once more what is in it. */
  async #restoreSecret(
    app: UnitAppObject,
    stored: readonly StoredRevision[],
    signal: AbortSignal,
  ): Promise<void> {
    const content = contentOf(app.spec);
    const revision = stored.find(({ hash }) => hash === hashOfContent(content));
    if (revision?.hasSecrets !== true) return;
    const seen = this.#deps.view.child(resources.secrets, `${app.metadata.namespace ?? ''}/${revision.name}`);
    if (seen !== undefined && isOf(app, seen)) return;
    const { secret } = objectsOf(app, revision, content);
    this.#deps.metrics.writes.add({ what: 'revision' });
    if (secret !== undefined) await this.#keepSecret(app, secret, signal);
  }

  /** One that is there counts if it is ours: that of a UnitApp that had the name before goes with that. */
  async #keepSecret(app: UnitAppObject, secret: Secret, signal: AbortSignal): Promise<void> {
    const { client, view } = this.#deps;
    const { namespace, name = '' } = secret.metadata;
    const options = { ...writing, signal };
    const kept =
      (await client.create(resources.secrets, secret, options).catch(exists)) ??
      (await client.get(resources.secrets, { namespace, name }, options));
    if (!isOf(app, kept)) throw foreign('Secret', name);
    view.wroteChild(resources.secrets, kept);
  }
}

export const createHistory = (deps: HistoryDeps): History => new ClusterHistory(deps);
