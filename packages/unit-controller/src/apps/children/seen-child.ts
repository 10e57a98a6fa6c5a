import { labels, unitAppAnnotations } from '@selvedge/api';
import { BoundedMap } from '@selvedge/kit';
import { type JsonObject, type KubeObject, isObject, slimMetadata } from '@selvedge/kube';
import { hashOf, unitAppManager } from '../../rendering/index.ts';
import { type FieldSet, hasField } from './field-set.ts';
import { type WorkloadFacts, workloadFactsOf } from './workload-facts.ts';

/** What is ours of an object. */
export interface Owned {
  /** Shared among objects: never changed. */
  readonly fields: FieldSet;
  /** Of the fields. */
  readonly hash: string;
}

/** What is kept in memory of an object that a UnitApp made, or that says so. */
export interface SeenChild extends KubeObject {
  /** Undefined: nothing. */
  readonly owned?: Owned | undefined;
  /** Of a workload. */
  readonly facts?: WorkloadFacts | undefined;
}

export type Keep = (object: KubeObject) => SeenChild;

const kept = [labels.unitApp, labels.unit, labels.revision, labels.podTemplate] as const;

const picked = (
  all: Readonly<Record<string, string>> | undefined,
  keys: readonly string[],
): Readonly<Record<string, string>> =>
  Object.fromEntries(keys.flatMap((key) => (all?.[key] === undefined ? [] : [[key, all[key]] as const])));

/** As it was applied: what others changed of it since is not in it any more. */
function ownedFields({ metadata }: KubeObject): FieldSet | undefined {
  const entry = metadata.managedFields?.find(
    ({ manager, operation, subresource = '' }) =>
      manager === unitAppManager && operation === 'Apply' && subresource === '',
  );
  return isObject(entry?.fieldsV1) ? entry.fieldsV1 : undefined;
}

/** Sets of fields that are different; clones of one UnitApp have the same. */
const maxFieldSets = 10_000;

/** For the store's `keep`: everything that is decided from, and none of the contents. Of equal sets of fields one is kept. */
export function createKeep(): Keep {
  const sets = new BoundedMap<string, Owned>({ capacity: maxFieldSets });
  const shared = (fields: FieldSet): Owned => {
    const hash = hashOf(JSON.stringify(fields));
    const owned = sets.get(hash) ?? { fields, hash };
    sets.set(hash, owned);
    return owned;
  };
  return (object) => {
    const { metadata } = object;
    const fields = ownedFields(object);
    const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
    return {
      metadata: {
        ...slimMetadata(metadata),
        labels: picked(metadata.labels, kept),
        annotations: picked(metadata.annotations, [unitAppAnnotations.applied]),
        ...(owner === undefined ? {} : { ownerReferences: [owner] }),
        ...(metadata.deletionTimestamp === undefined
          ? {}
          : { deletionTimestamp: metadata.deletionTimestamp }),
      },
      owned: fields === undefined ? undefined : shared(fields),
      facts: workloadFactsOf(object as KubeObject & JsonObject),
    };
  };
}

export const appliedHashOf = ({ metadata }: SeenChild): string | undefined =>
  metadata.annotations?.[unitAppAnnotations.applied];

/** A label that we gave it and nobody has changed since. */
function ownLabel({ metadata, owned }: SeenChild, key: string): string | undefined {
  const isOurs = hasField(owned?.fields ?? {}, `/metadata/labels/${key.replaceAll('/', '~1')}`);
  return isOurs ? metadata.labels?.[key] : undefined;
}

/** The number of the revision that a clone is made from; 0: not known. */
export const revisionOf = (clone: SeenChild): number => Number(ownLabel(clone, labels.revision) ?? 0);

/** The unit that it was made for; undefined: none, or not known. */
export const unitOf = (child: SeenChild): string | undefined => ownLabel(child, labels.unit);

/** By which the pods of its newest template are known. */
export const podTemplateOf = (clone: SeenChild): string | undefined => ownLabel(clone, labels.podTemplate);
