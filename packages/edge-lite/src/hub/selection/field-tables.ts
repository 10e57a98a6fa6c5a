import type { HeldResource } from '../replica/types.ts';
import { resourceParts } from '../request-info/index.ts';
import { textAt } from './fields.ts';
import { commonFields, knownFields, metadataFields, plainRefusal, type FieldTable } from './known-fields.ts';

/**
 * The `selectableFields` of a custom resource's version, without the leading dot: `spec.color`. Undefined: nothing is
 * known of it. Source: kubernetes.io "Custom Resource Definitions", field selectors.
 */
export type CustomFields = (resource: HeldResource) => readonly string[] | undefined;

/** Groups that the API server serves itself; every other one may be a custom resource's. */
const ownGroups: ReadonlySet<string> = new Set([
  '',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'apps',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
  'storagemigration.k8s.io',
]);

export type FieldsOf =
  /** These and no others. */
  | { readonly kind: 'known'; readonly table: FieldTable }
  /** At least these: others may be fine for the API server, but nobody here can tell their values. */
  | { readonly kind: 'partial'; readonly table: FieldTable };

function customTable(fields: readonly string[]): FieldTable {
  const own = fields
    .filter((field) => !/[[\]'"]/.test(field))
    .map((field) => [field, textAt(field)] as const);
  return { fields: { ...metadataFields, ...Object.fromEntries(own) }, refusal: plainRefusal };
}

/** What is known of the fields of a resource. Where only metadata is held, other fields have no values here. */
export function fieldsOf(resource: HeldResource, custom: CustomFields): FieldsOf {
  const { group, metadataOnly } = resourceParts(resource);
  if (metadataOnly) return { kind: 'partial', table: { fields: metadataFields, refusal: plainRefusal } };
  const known = knownFields[resource];
  if (known !== undefined) return { kind: 'known', table: known };
  if (ownGroups.has(group)) return { kind: 'known', table: commonFields };
  const fields = custom(resource);
  return { kind: fields === undefined ? 'partial' : 'known', table: customTable(fields ?? []) };
}
