import { isDeepStrictEqual } from 'node:util';
import type { UnitAppStatus } from '@selvedge/api';
import { type EventContent, type EventRecorder, type KubeClient, applyPatch } from '@selvedge/kube';
import { type UnitAppObject, nameOf, unitAppResource } from '../../objects.ts';
import type { AppView } from '../view/index.ts';
import type { AppMetrics } from '../metrics.ts';
import { newsOf } from '../status/index.ts';
import { writing } from '../writing.ts';

export interface ReporterDeps {
  readonly client: Pick<KubeClient, 'patch'>;
  readonly view: AppView;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly metrics: AppMetrics;
}

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? {}));

/** Tells in a UnitApp's status and its Events what has become of it. */
export class Reporter {
  readonly #deps: ReporterDeps;

  constructor(deps: ReporterDeps) {
    this.#deps = deps;
  }

  /** Nothing is written when nothing changed. Rejects with `Conflict` if another wrote since this one looked. */
  async report(app: UnitAppObject, status: UnitAppStatus, signal: AbortSignal): Promise<void> {
    if (isDeepStrictEqual(asJson(status), asJson(app.status))) return;
    const { client, metrics, view } = this.#deps;
    const { namespace, resourceVersion, uid } = app.metadata;
    const patch = applyPatch({ metadata: { resourceVersion, uid }, status });
    const options = { ...writing, patch, subresource: 'status', force: true, signal };
    metrics.writes.add({ what: 'status' });
    view.apps.wrote(await client.patch(unitAppResource, { namespace, name: nameOf(app) }, options));
    for (const news of newsOf(app.status, status)) this.tell(app, news);
  }

  tell(app: UnitAppObject, news: EventContent): void {
    const { apiVersion, kind } = unitAppResource;
    const { namespace, uid } = app.metadata;
    this.#deps.events.record({ apiVersion, kind, namespace, name: nameOf(app), uid }, news);
  }
}
