import type { HeldResource } from '../replica/types.ts';
import { heldResource } from '../request-info/index.ts';

/** `apidiscovery.k8s.io/v2` APIGroupDiscoveryList, as far as it is used. Source: KEP-3352 "Aggregated Discovery". */
export interface GroupDiscoveryList {
  readonly items?: readonly GroupDiscovery[];
}

interface GroupDiscovery {
  /** Without a name it is the core group. */
  readonly metadata?: { readonly name?: string };
  readonly versions?: readonly VersionDiscovery[];
}

interface VersionDiscovery {
  readonly version: string;
  readonly resources?: readonly ResourceDiscovery[];
}

interface ResourceKind {
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
}

interface SubresourceDiscovery {
  readonly subresource: string;
  readonly responseKind?: ResourceKind;
  readonly verbs?: readonly string[];
}

interface ResourceDiscovery {
  readonly resource: string;
  readonly responseKind?: ResourceKind;
  readonly scope: string;
  readonly singularResource?: string;
  readonly verbs?: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly SubresourceDiscovery[];
}

const nameOf = ({ metadata }: GroupDiscovery): string => metadata?.name ?? '';
const groupVersion = (group: string, version: string): string =>
  group === '' ? version : `${group}/${version}`;

/** Of kinds that are not those of the collection's own group and version. */
function foreignKind(kind: ResourceKind | undefined): object {
  return {
    ...(kind?.group === undefined || kind.group === '' ? {} : { group: kind.group }),
    ...(kind?.version === undefined || kind.version === '' ? {} : { version: kind.version }),
    kind: kind?.kind ?? '',
  };
}

function apiResources(resource: ResourceDiscovery): readonly object[] {
  const { resource: name, scope, singularResource = '', verbs = [], shortNames, categories } = resource;
  const namespaced = scope === 'Namespaced';
  const own = {
    name,
    singularName: singularResource,
    namespaced,
    ...foreignKind(resource.responseKind),
    verbs,
    ...(shortNames === undefined ? {} : { shortNames }),
    ...(categories === undefined ? {} : { categories }),
  };
  const parts = (resource.subresources ?? []).map((part) => ({
    name: `${name}/${part.subresource}`,
    singularName: '',
    namespaced,
    ...foreignKind(part.responseKind),
    verbs: part.verbs ?? [],
  }));
  return resource.verbs === undefined ? parts : [own, ...parts];
}

function apiGroup(group: GroupDiscovery): object {
  const versions = (group.versions ?? []).map(({ version }) => ({
    groupVersion: groupVersion(nameOf(group), version),
    version,
  }));
  return {
    name: nameOf(group),
    versions,
    preferredVersion: versions[0] ?? { groupVersion: '', version: '' },
  };
}

/** The documents of discovery as it was before it was aggregated, by path. */
export function separateDocuments(
  root: '/api' | '/apis',
  list: GroupDiscoveryList,
): ReadonlyMap<string, object> {
  const groups = list.items ?? [];
  const documents = new Map<string, object>();
  if (root === '/api') {
    const versions = groups.flatMap((group) => (group.versions ?? []).map(({ version }) => version));
    documents.set(root, { kind: 'APIVersions', versions, serverAddressByClientCIDRs: [] });
  } else {
    documents.set(root, { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(apiGroup) });
  }
  for (const group of groups) {
    const base = root === '/api' ? root : `${root}/${nameOf(group)}`;
    if (root === '/apis') documents.set(base, { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(group) });
    for (const { version, resources = [] } of group.versions ?? []) {
      documents.set(`${base}/${version}`, {
        kind: 'APIResourceList',
        apiVersion: 'v1',
        groupVersion: groupVersion(nameOf(group), version),
        resources: resources.flatMap(apiResources),
      });
    }
  }
  return documents;
}

function kindsOfGroup(group: GroupDiscovery): readonly (readonly [HeldResource, string])[] {
  const name = nameOf(group);
  return (group.versions ?? []).flatMap(({ version, resources = [] }) =>
    resources.map(({ resource, responseKind }) => {
      return [heldResource({ group: name, version, resource }), responseKind?.kind ?? ''] as const;
    }),
  );
}

/** The kind of each resource. */
export function kindsOf(list: GroupDiscoveryList): ReadonlyMap<HeldResource, string> {
  return new Map((list.items ?? []).flatMap(kindsOfGroup).filter(([, kind]) => kind !== ''));
}
