import { type UnitAppSpec, labels, trafficAnnotations } from '@selvedge/api';
import {
  type JsonObject,
  type KubeObject,
  type Resource,
  defineResource,
  mergePatched,
  resources,
} from '@selvedge/kube';
import type { OwnerReference } from '@selvedge/kube/types';
import { type UnitAppObject, unitAppResource } from '../objects.ts';
import { childName, cloneName } from './clone-name.ts';
import { overridden } from './overrides.ts';
import { pinned } from './pin.ts';
import { type ChildNames, withReferences } from './references.ts';
import { type UnitValues, substitutedIn } from './unit-values.ts';

/** An object that a UnitApp wants to exist. */
export interface Child {
  readonly resource: Resource<KubeObject>;
  /** With `apiVersion`, `kind`, and metadata with name, namespace, labels and the owner. */
  readonly object: KubeObject & JsonObject;
}

export interface RenderInput {
  /** Whose they are: name, namespace and uid. */
  readonly app: Pick<UnitAppObject, 'metadata'>;
  /** Of the revision. */
  readonly spec: UnitAppSpec;
  /** What a schedule says now; absent: what the template says. An override for the unit goes before it. */
  readonly replicas?: number | undefined;
}

export const horizontalPodAutoscalers: Resource<KubeObject> = defineResource({
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  namespaced: true,
});

const workloads: Readonly<Record<UnitAppSpec['template']['kind'], Resource<KubeObject>>> = {
  DaemonSet: resources.daemonSets,
  Deployment: resources.deployments,
  StatefulSet: resources.statefulSets,
};

/** What all objects of UnitApps have. */
export const unitAppManager = 'selvedge-unit-controller';

interface Metadata {
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

const appName = ({ app }: RenderInput): string => app.metadata.name ?? '';

function ownerOf({ metadata }: Pick<UnitAppObject, 'metadata'>): OwnerReference {
  const { apiVersion, kind } = unitAppResource;
  const { name = '', uid = '' } = metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** Labels by which the clone's pods are told from all others; absent unit: those of all clones. */
const identity = (input: RenderInput, unit?: UnitValues): Readonly<Record<string, string>> => ({
  [labels.unitApp]: appName(input),
  ...(unit === undefined ? {} : { [labels.unit]: unit.name }),
});

interface ChildParts {
  readonly resource: Resource<KubeObject>;
  readonly name: string;
  readonly unit: UnitValues | undefined;
  readonly metadata?: Metadata | undefined;
  readonly body: JsonObject;
}

function child(input: RenderInput, { resource, name, unit, metadata, body }: ChildParts): Child {
  const { apiVersion, kind } = resource;
  const own = { ...identity(input, unit), [labels.managedBy]: unitAppManager };
  const { annotations } = metadata ?? {};
  return {
    resource,
    object: {
      apiVersion,
      kind,
      ...body,
      metadata: {
        name,
        namespace: input.app.metadata.namespace,
        labels: { ...metadata?.labels, ...own },
        ...(annotations === undefined ? {} : { annotations }),
        ownerReferences: [ownerOf(input.app)],
      },
    },
  };
}

function namesOf(input: RenderInput, unit: UnitValues): ChildNames {
  const named = (all: readonly { readonly name: string }[] | undefined): ReadonlyMap<string, string> =>
    new Map((all ?? []).map(({ name }) => [name, childName(appName(input), name, unit.name)] as const));
  return { configMaps: named(input.spec.configMaps), secrets: named(input.spec.secrets) };
}

function configurationOf(input: RenderInput, unit: UnitValues): readonly Child[] {
  const { configMaps = [], secrets = [] } = input.spec;
  const nameIn = (name: string): string => childName(appName(input), name, unit.name);
  return [
    ...configMaps.map(({ name, metadata, data = {}, binaryData }) => {
      const body = { data: substitutedIn(data, unit), ...(binaryData === undefined ? {} : { binaryData }) };
      return child(input, { resource: resources.configMaps, name: nameIn(name), unit, metadata, body });
    }),
    ...secrets.map(({ name, metadata, type = 'Opaque', stringData = {}, data = {} }) => {
      // As the API server keeps it, so that what is there can be compared with what is wanted.
      const texts = Object.entries(substitutedIn(stringData, unit) as Readonly<Record<string, string>>);
      const encoded = texts.map(([key, text]) => [key, Buffer.from(text).toString('base64')] as const);
      const body = { type, data: { ...data, ...Object.fromEntries(encoded) } };
      return child(input, { resource: resources.secrets, name: nameIn(name), unit, metadata, body });
    }),
  ];
}

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

/** What the clone has before overrides: the template with the number of replicas that a schedule wants. */
function startOf({ spec, replicas }: RenderInput): JsonObject {
  const { kind, metadata = {}, spec: workload } = spec.template;
  const { apiVersion } = workloads[kind];
  const scaled = replicas === undefined ? workload : { ...workload, replicas };
  return { apiVersion, kind, metadata, spec: scaled };
}

/** What is ours in the clone, whatever the template and the overrides say. */
function ownFields(input: RenderInput, unit: UnitValues): JsonObject {
  const { template, scaling } = input.spec;
  const own = identity(input, unit);
  const isScaledByOthers = scaling?.horizontal !== undefined || template.kind === 'DaemonSet';
  const service = template.kind === 'StatefulSet' ? serviceName(input, unit) : undefined;
  return {
    selector: { matchLabels: own },
    template: { metadata: { labels: own } },
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
  const spec = { scaleTargetRef: { apiVersion, kind, name }, ...scaling.horizontal };
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

/** What all units share: the Service with the UnitApp's name, whose traffic stays in the unit. Pure. */
export function renderShared(input: RenderInput): readonly Child[] {
  const { service } = input.spec;
  if (service?.shared !== true) return [];
  const metadata = {
    ...service.metadata,
    annotations: { [trafficAnnotations.scope]: 'unit', ...service.metadata?.annotations },
  };
  const body = { spec: { ...service.spec, selector: identity(input) } };
  const parts = { resource: resources.services, name: appName(input), unit: undefined, metadata, body };
  return [child(input, parts)];
}
