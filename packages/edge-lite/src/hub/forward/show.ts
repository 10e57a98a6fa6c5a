import type { KubeObject } from '@selvedge/kube';
import { type ResourceRequest, heldResource } from '../request-info/index.ts';
import type { ApplyViews, HeldResource, Replica } from '../replica/types.ts';
import type { Altered } from './altered.ts';
import { naturalText } from '../replica/index.ts';

export interface ShowDeps {
  readonly replica: Pick<Replica, 'base' | 'learn' | 'listVersion' | 'reader'>;
  readonly views: ApplyViews;
  readonly altered: Pick<Altered, 'deleted' | 'note'>;
  /** Takes an answer over. Undefined: it is not held, or could not be, which never fails the answer. */
  readonly takeOver: (learn: () => KubeObject | undefined) => KubeObject | undefined;
}

/** How upstream's answers are shown to a client: under the hub's versions and with the views. */
export interface Show {
  /** An object of the resource. With `learn` the replica takes it over. */
  object(object: KubeObject, learn: boolean): KubeObject;
  /** An object of another type that stands for it, a Scale for instance. */
  other(object: KubeObject): KubeObject;
}

function withVersion(object: KubeObject, resourceVersion: string): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion } };
}

/** The version under which the replica shows what upstream calls `version`, if that is what it holds. */
function versionOf(deps: ShowDeps, resource: HeldResource, { metadata }: KubeObject): string | undefined {
  const { namespace = '', name = '', resourceVersion } = metadata;
  if (resourceVersion === undefined || resourceVersion === '') return undefined;
  const at = { namespace, name };
  const held = deps.replica.base(resource, at)?.metadata.resourceVersion === resourceVersion;
  const row = held ? deps.replica.reader(resource).get(at) : undefined;
  return row?.version.toString() ?? naturalText(resourceVersion);
}

export function createShow(request: ResourceRequest, deps: ShowDeps): Show {
  const full = heldResource(request);
  const metadataOnly = heldResource({ ...request, metadataOnly: true });
  const note = request.verb === 'deletecollection' ? deps.altered.deleted : deps.altered.note;
  return {
    object(object, learn) {
      const resource = object.kind === 'PartialObjectMetadata' ? metadataOnly : full;
      const learned = learn ? deps.takeOver(() => deps.replica.learn(resource, object)) : undefined;
      if (learned !== undefined) return learned;
      const version = versionOf(deps, resource, object);
      const viewed = deps.views(resource, object);
      note(resource, { base: object, viewed });
      return version === undefined ? viewed : withVersion(viewed, version);
    },
    other(object) {
      const version = versionOf(deps, full, object);
      return version === undefined ? object : withVersion(object, version);
    },
  };
}
