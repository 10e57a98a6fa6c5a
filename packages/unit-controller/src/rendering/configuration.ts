import { resources } from '@selvedge/kube';
import { type Child, type RenderInput, appName, child } from './child.ts';
import { childName } from './clone-name.ts';
import type { ChildNames } from './references.ts';
import { type UnitValues, substitutedIn } from './unit-values.ts';

/** What the template's ConfigMaps and Secrets are called in the unit. Pure. */
export function namesOf(input: RenderInput, unit: UnitValues): ChildNames {
  const named = (all: readonly { readonly name: string }[] | undefined): ReadonlyMap<string, string> =>
    new Map((all ?? []).map(({ name }) => [name, childName(appName(input), name, unit.name)] as const));
  return { configMaps: named(input.spec.configMaps), secrets: named(input.spec.secrets) };
}

/** The ConfigMaps and Secrets of the unit. Pure. */
export function configurationOf(input: RenderInput, unit: UnitValues): readonly Child[] {
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
