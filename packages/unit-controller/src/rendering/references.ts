import { type JsonObject, isList, isObject } from '@selvedge/kube';

/** Names that the template uses, and what they are in the unit. */
export interface ChildNames {
  readonly configMaps: ReadonlyMap<string, string>;
  readonly secrets: ReadonlyMap<string, string>;
}

type Kind = keyof ChildNames;

/** Fields of a pod's spec whose value refers to an object, and the field of that value which names it. */
const references: Readonly<Record<string, readonly (readonly [Kind, string])[]>> = {
  configMap: [['configMaps', 'name']],
  configMapRef: [['configMaps', 'name']],
  configMapKeyRef: [['configMaps', 'name']],
  // A volume's source has secretName, a source of a projected volume has name.
  secret: [
    ['secrets', 'secretName'],
    ['secrets', 'name'],
  ],
  secretRef: [['secrets', 'name']],
  secretKeyRef: [['secrets', 'name']],
  imagePullSecrets: [['secrets', 'name']],
};

function renamed(value: unknown, [kind, field]: readonly [Kind, string], names: ChildNames): unknown {
  if (isList(value)) return value.map((item) => renamed(item, [kind, field], names));
  if (!isObject(value)) return value;
  const name = value[field];
  const other = typeof name === 'string' ? names[kind].get(name) : undefined;
  return other === undefined ? value : { ...value, [field]: other };
}

/** A pod's spec that names the unit's own ConfigMaps and Secrets in place of those of the template. Pure. */
export function withReferences(value: unknown, names: ChildNames): unknown {
  if (isList(value)) return value.map((item) => withReferences(item, names));
  if (!isObject(value)) return value;
  const fields = Object.entries(value).map(([key, inner]) => {
    const deeper = withReferences(inner, names);
    const found = Object.hasOwn(references, key) ? (references[key] ?? []) : [];
    return [key, found.reduce((all, reference) => renamed(all, reference, names), deeper)] as const;
  });
  return Object.fromEntries(fields) satisfies JsonObject;
}
