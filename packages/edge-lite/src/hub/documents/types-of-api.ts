import { resources } from '@selvedge/kube';
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '@selvedge/kube/types';
import type { HeldResource, Replica } from '../replica/types.ts';
import type { Types } from '../reads/types.ts';
import { resourceParts } from '../request-info/index.ts';
import type { Archive } from './archive.ts';
import { kindsOf } from './discovery.ts';
import { keptDiscovery } from './kept-answer.ts';

const definitions = 'apiextensions.k8s.io/v1/customresourcedefinitions';

type Version = CustomResourceDefinitionVersion;

/** Kinds that are known before anything was ever discovered. */
const firstKinds: ReadonlyMap<HeldResource, string> = new Map(
  Object.values(resources).map(({ apiVersion, plural, kind }) => [`${apiVersion}/${plural}`, kind]),
);

/** What discovery and, where they are held, the CustomResourceDefinitions say of the types of the API. */
export function createTypes(deps: {
  readonly archive: Archive;
  readonly replica: Pick<Replica, 'reader'>;
}): Types {
  let known: { readonly hashes: string; readonly kinds: ReadonlyMap<HeldResource, string> } | undefined;
  const kinds = (): ReadonlyMap<HeldResource, string> => {
    const heads = [...deps.archive.headsOf('/api'), ...deps.archive.headsOf('/apis')];
    const hashes = heads.map(({ hash }) => hash).join();
    if (known?.hashes !== hashes) {
      const lists = [keptDiscovery('/api', deps.archive), keptDiscovery('/apis', deps.archive)];
      known = { hashes, kinds: new Map(lists.flatMap((list) => [...kindsOf(list ?? {})])) };
    }
    return known.kinds;
  };
  const versionOf = (resource: HeldResource): Version | undefined => {
    const { group, version, resource: plural } = resourceParts(resource);
    if (!group.includes('.')) return undefined;
    const shown = deps.replica.reader(definitions).get({ namespace: '', name: `${plural}.${group}` });
    if (shown === undefined) return undefined;
    const { spec } = JSON.parse(shown.json) as CustomResourceDefinition;
    return spec.versions.find(({ name }) => name === version);
  };
  return {
    kindOf: (resource) => firstKinds.get(resource) ?? kinds().get(resource),
    customFields: (resource) => {
      const version = versionOf(resource);
      return version && (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.replace(/^\./, ''));
    },
    customColumns: (resource) => {
      const version = versionOf(resource);
      return version && (version.additionalPrinterColumns ?? []);
    },
  };
}
