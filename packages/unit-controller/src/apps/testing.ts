import type { UnitAppSpec } from '@selvedge/api';
import { type JsonObject, type KubeObject, isList, isObject } from '@selvedge/kube';
import type { UnitAppObject } from '../objects.ts';
import { renderUnit, unitAppManager } from '../rendering/index.ts';
import { type Intent, type Keep, type SeenChild, createKeep, intentOf } from './children/index.ts';

export const specOf = (image = 'till:1', more: Partial<UnitAppSpec> = {}): UnitAppSpec => ({
  unitSelector: {},
  template: {
    kind: 'Deployment',
    spec: { replicas: 2, template: { spec: { containers: [{ name: 'till', image }] } } },
  },
  ...more,
});

export const appOf = (spec: UnitAppSpec = specOf()): UnitAppObject => ({
  metadata: { name: 'till', namespace: 'shops', uid: 'app', resourceVersion: '7', generation: 3 },
  spec,
});

const shop = { name: 'shop-1', labels: { tier: 'gold' } };

/** Of a unit, by their kinds. */
function intentsOf(spec: UnitAppSpec = specOf(), revision = 1): ReadonlyMap<string, Intent> {
  const { unmanagedFields, scaling } = spec;
  const isScaledByOthers = scaling?.horizontal !== undefined;
  const children = renderUnit({ app: appOf(spec), spec }, shop);
  const intents = children.map((child) => intentOf(child, { revision, unmanagedFields, isScaledByOthers }));
  return new Map(intents.map((intent) => [intent.resource.kind, intent] as const));
}

export function intentNamed(kind: string, spec?: UnitAppSpec, revision?: number): Intent {
  const intent = intentsOf(spec, revision).get(kind);
  if (intent === undefined) throw new Error(`no ${kind}`);
  return intent;
}

/** The fields of a value as the API server tells them; lists are associative by `name`, or had as a whole. */
export function fieldsOf(value: unknown): JsonObject {
  if (isList(value)) {
    const items = value.map((item) => (isObject(item) && 'name' in item ? item : undefined));
    if (!items.every((item) => item !== undefined)) return {};
    const keyed = items.map((item) => {
      const key = `k:${JSON.stringify({ name: item['name'] })}`;
      return [key, { '.': {}, ...fieldsOf(item) }] as const;
    });
    return Object.fromEntries(keyed);
  }
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [`f:${key}`, fieldsOf(inner)]));
}

const fieldsOfObject = ({
  apiVersion: _,
  kind: __,
  metadata,
  ...body
}: KubeObject & JsonObject): JsonObject => {
  const { labels, annotations, ownerReferences } = metadata;
  return fieldsOf({ ...body, metadata: { labels, annotations, ownerReferences } });
};

/** What the API server makes of an apply of the whole object; `fields`: what is the applier's. */
export const applied = (object: KubeObject & JsonObject, fields = fieldsOfObject(object)): KubeObject => ({
  ...object,
  metadata: {
    ...object.metadata,
    uid: 'clone',
    resourceVersion: '9',
    generation: 1,
    managedFields: [{ manager: unitAppManager, operation: 'Apply', fieldsV1: fields }],
  },
});

const keep: Keep = createKeep();

export const seenOf = (object: KubeObject): SeenChild => keep(object);
