import type { ObjectSchema, ValidationRule } from './schema.ts';

export interface PrinterColumn {
  readonly name: string;
  readonly type: 'boolean' | 'date' | 'integer' | 'string';
  readonly jsonPath: string;
  readonly description: string;
  /** Above 0: shown by `kubectl get -o wide` only. */
  readonly priority?: number;
}

/** What one version of a resource looks like. */
export interface CustomResourceVersion {
  readonly name: string;
  /** The form in which the API server keeps objects; of exactly one version. */
  readonly storage: boolean;
  readonly spec: ObjectSchema;
  readonly status: ObjectSchema;
  readonly columns: readonly PrinterColumn[];
  /** What those who still use this version are told. Absent: it is not deprecated. */
  readonly deprecationWarning?: string;
  /** About the object as a whole: a rule that looks at its name, for instance. */
  readonly rules?: readonly ValidationRule[];
}

export interface CustomResource {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly scope: 'Cluster' | 'Namespaced';
  readonly description: string;
  readonly versions: readonly CustomResourceVersion[];
  /**
   * How objects get from one version to another. Default: `None`, which only suits versions with the same fields.
   * Source: kubernetes.io "Versions in CustomResourceDefinitions".
   */
  readonly conversion?:
    | { readonly strategy: 'None' }
    | { readonly strategy: 'Webhook'; readonly webhook: object };
}

/** A CustomResourceDefinition as it is applied. */
export interface CustomResourceDefinition {
  readonly apiVersion: 'apiextensions.k8s.io/v1';
  readonly kind: 'CustomResourceDefinition';
  readonly metadata: { readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

function versionOf(description: string, version: CustomResourceVersion): object {
  const { name, storage, spec, status, columns, deprecationWarning, rules } = version;
  const properties = {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    spec,
    status,
  };
  const schema = {
    type: 'object',
    description,
    properties,
    ...(rules === undefined ? {} : { 'x-kubernetes-validations': rules }),
  };
  return {
    name,
    served: true,
    storage,
    ...(deprecationWarning === undefined ? {} : { deprecated: true, deprecationWarning }),
    schema: { openAPIV3Schema: schema },
    subresources: { status: {} },
    additionalPrinterColumns: columns,
  };
}

/** All versions served, each with a status subresource. Pure. */
export function customResourceDefinition(resource: CustomResource): CustomResourceDefinition {
  const { group, kind, plural, shortNames, scope, description, versions } = resource;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), shortNames },
      conversion: resource.conversion ?? { strategy: 'None' },
      versions: versions.map((version) => versionOf(description, version)),
    },
  };
}
