import { type UnitAppSpec, trafficAnnotations, unitAppAnnotations } from '@selvedge/api';
import {
  type JsonObject,
  type KubeObject,
  type Resource,
  defineResource,
  mergePatched,
  resources,
} from '@selvedge/kube';
import { type Child, type Metadata, type RenderInput, appName, child, identity } from './child.ts';
import { cloneName } from './clone-name.ts';
import { configurationOf, namesOf } from './configuration.ts';
import { hashOf } from './hash.ts';
import { overridden } from './overrides.ts';
import { pinned } from './pin.ts';
import { withReferences } from './references.ts';
import { type UnitValues, checkOfAll, substitutedIn } from './unit-values.ts';

export const horizontalPodAutoscalers: Resource<KubeObject> = defineResource({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  namespaced: true,
});

/** Of the kinds that a template may have. */
export const workloads: Readonly<Record<UnitAppSpec['template']['kind'], Resource<KubeObject>>> = {
  DaemonSet: resources.daemonSets,
  Deployment: resources.deployments,
  StatefulSet: resources.statefulSets,
};

/** The Service's name in the unit, if there is one. */
function serviceName(input: RenderInput, unit: UnitValues): string | undefined {
  const { service } = input.spec;
  if (service === undefined) return undefined;
  return service.shared === true ? appName(input) : cloneName(appName(input), unit.name);
}

function serviceOf(input: RenderInput, unit: UnitValues): readonly Child[] {
  const { service } = input.spec;
  if (service === undefined || service.shared === true) return [];
  const name = cloneName(appName(input), unit.name);
  const spec = { ...(substitutedIn(service.spec, unit) as JsonObject), selector: identity(input, unit) };
  const metadata = substitutedIn(service.metadata ?? {}, unit) as Metadata;
  return [child(input, { resource: resources.services, name, unit, metadata, body: { spec } })];
}

/**
 * What the clone has before overrides: the template with the number of replicas that a schedule wants. One that is written
 * nowhere is 1, as in a workload: it is ours, and comes back when scaling is taken out.
 */
function startOf({ spec, replicas }: RenderInput): JsonObject {
  const { kind, metadata = {}, spec: workload } = spec.template;
  const { apiVersion } = workloads[kind];
  const scaled = replicas === undefined ? { replicas: 1, ...workload } : { ...workload, replicas };
  return { apiVersion, kind, metadata, spec: scaled };
}

/** Pods are made anew when what they read at their start is another. */
function readingOf(input: RenderInput, unit: UnitValues): JsonObject {
  const configuration = configurationOf(input, unit).map(({ object }) => [
    object['data'],
    object['binaryData'],
  ]);
  const hash = hashOf(JSON.stringify(configuration));
  return configuration.length === 0 ? {} : { annotations: { [unitAppAnnotations.configuration]: hash } };
}

/** What is ours in the clone, whatever the template and the overrides say. */
function ownFields(input: RenderInput, unit: UnitValues): JsonObject {
  const { template, scaling } = input.spec;
  const own = identity(input, unit);
  const isScaledByOthers = scaling?.horizontal !== undefined || template.kind === 'DaemonSet';
  const service = template.kind === 'StatefulSet' ? serviceName(input, unit) : undefined;
  return {
    selector: { matchLabels: own },
    template: { metadata: { labels: own, ...readingOf(input, unit) } },
    ...(isScaledByOthers ? { replicas: null } : {}),
    ...(service === undefined ? {} : { serviceName: service }),
  };
}

function workloadOf(input: RenderInput, unit: UnitValues): Child {
  const { spec } = input;
  const started = overridden(startOf(input), spec.overrides ?? [], unit);
  const texts = substitutedIn(started, unit) as JsonObject;
  const { metadata, ...body } = pinned(texts, unit.name);
  const referring = withReferences(body, namesOf(input, unit)) as JsonObject;
  const { selector: _, ...own } = (referring['spec'] ?? {}) as JsonObject;
  const whole = mergePatched(own, ownFields(input, unit)) as JsonObject;
  const name = cloneName(appName(input), unit.name);
  const resource = workloads[spec.template.kind];
  return child(input, { resource, name, unit, metadata: metadata as Metadata, body: { spec: whole } });
}

function scalerOf(input: RenderInput, unit: UnitValues): readonly Child[] {
  const { scaling, template } = input.spec;
  if (scaling?.horizontal === undefined) return [];
  const { apiVersion, kind } = workloads[template.kind];
  const name = cloneName(appName(input), unit.name);
  const own = substitutedIn(scaling.horizontal, unit) as JsonObject;
  const spec = { ...own, scaleTargetRef: { apiVersion, kind, name } };
  return [child(input, { resource: horizontalPodAutoscalers, name, unit, body: { spec } })];
}

/**
 * All objects of one UnitApp in one unit, in the order of making them: ConfigMaps, Secrets, the Service, the workload, its
 * autoscaler. Throws `Invalid` for a template, an override or a variable that cannot be used. Pure.
 */
export function renderUnit(input: RenderInput, unit: UnitValues): readonly Child[] {
  return [
    ...configurationOf(input, unit),
    ...serviceOf(input, unit),
    workloadOf(input, unit),
    ...scalerOf(input, unit),
  ];
}

/**
 * What all units share: the Service with the UnitApp's name, whose traffic stays in the unit. Throws `Invalid` if it asks of
 * a unit. Pure.
 */
export function renderShared(input: RenderInput): readonly Child[] {
  const { service } = input.spec;
  if (service?.shared !== true) return [];
  checkOfAll(service, 'a shared Service');
  const metadata = {
    ...service.metadata,
    annotations: { [trafficAnnotations.scope]: 'unit', ...service.metadata?.annotations },
  };
  const body = { spec: { ...service.spec, selector: identity(input) } };
  const parts = { resource: resources.services, name: appName(input), unit: undefined, metadata, body };
  return [child(input, parts)];
}
