import { type UnitAppSpec, labels } from '@selvedge/api';
import type { JsonObject, KubeObject, Resource } from '@selvedge/kube';
import type { OwnerReference } from '@selvedge/kube/types';
import { type UnitAppObject, unitAppResource } from '../objects.ts';
import type { UnitValues } from './unit-values.ts';

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

/** What all objects of UnitApps have. */
export const unitAppManager = 'selvedge-unit-controller';

export interface Metadata {
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

export const appName = ({ app }: RenderInput): string => app.metadata.name ?? '';

/** As all objects of the UnitApp have it: its controller. */
export function ownerOf({ metadata }: Pick<UnitAppObject, 'metadata'>): OwnerReference {
  const { apiVersion, kind } = unitAppResource;
  const { name = '', uid = '' } = metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** Labels by which the clone's pods are told from all others; absent unit: those of all clones. */
export const identity = (input: RenderInput, unit?: UnitValues): Readonly<Record<string, string>> => ({
  [labels.unitApp]: appName(input),
  ...(unit === undefined ? {} : { [labels.unit]: unit.name }),
});

export interface ChildParts {
  readonly resource: Resource<KubeObject>;
  readonly name: string;
  readonly unit: UnitValues | undefined;
  readonly metadata?: Metadata | undefined;
  readonly body: JsonObject;
}

export function child(input: RenderInput, { resource, name, unit, metadata, body }: ChildParts): Child {
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
