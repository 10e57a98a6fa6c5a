import { labels } from '@selvedge/api';
import { type KubeObject, isObject, slimMetadata } from '@selvedge/kube';
import type { ControllerRevision, Secret } from '@selvedge/kube/types';
import type { UnitAppObject } from '../../objects.ts';
import { nameOf } from '../../objects.ts';
import { ownerOf, unitAppManager } from '../../rendering/index.ts';
import { type Revision, type RevisionContent, hashOfContent } from '../../rollout/index.ts';

type Secrets = NonNullable<RevisionContent['secrets']>;

/** A revision as the cluster keeps it. */
export interface StoredRevision extends Revision {
  /** Of the ControllerRevision, and of the Secret if there is one. */
  readonly name: string;
  readonly uid: string;
  /** In milliseconds since the Unix epoch. */
  readonly createdMs: number;
  /** Without its Secrets. */
  readonly content: RevisionContent;
  /** They are in a Secret of the same name. */
  readonly hasSecrets: boolean;
}

/** The type of Secrets that hold those of a revision. */
const revisionSecretType = 'selvedge.io/revision';
const secretsKey = 'secrets.json';

const nameIn = (app: UnitAppObject, hash: string): string => `${nameOf(app)}-${hash}`;

const metadataOf = (app: UnitAppObject, { number, hash }: Revision): KubeObject['metadata'] => ({
  name: nameIn(app, hash),
  namespace: app.metadata.namespace,
  labels: {
    [labels.unitApp]: nameOf(app),
    [labels.revision]: String(number),
    [labels.managedBy]: unitAppManager,
  },
  ownerReferences: [ownerOf(app)],
});

/**
 * What keeps a revision: a ControllerRevision, and for its Secrets a Secret, since many who may not read Secrets may read
 * ControllerRevisions (the stock role `view` has them). Pure.
 */
export function objectsOf(
  app: UnitAppObject,
  revision: Revision,
  content: RevisionContent,
): { readonly revision: ControllerRevision; readonly secret: Secret | undefined } {
  const metadata = metadataOf(app, revision);
  const { secrets, ...spec } = content;
  const data = Buffer.from(JSON.stringify(secrets ?? [])).toString('base64');
  return {
    revision: { metadata, revision: revision.number, data: { spec, hasSecrets: secrets !== undefined } },
    secret:
      secrets === undefined
        ? undefined
        : { metadata, type: revisionSecretType, immutable: true, data: { [secretsKey]: data } },
  };
}

/** Undefined: it is none of ours, or not as we write them. Pure. */
export function storedRevisionOf({
  metadata,
  revision,
  data,
}: ControllerRevision): StoredRevision | undefined {
  const { name = '', uid = '', creationTimestamp = '' } = metadata;
  const spec = isObject(data) ? data['spec'] : undefined;
  if (!isObject(spec) || !isObject(spec['template'])) return undefined;
  return {
    name,
    uid,
    number: revision,
    hash: name.slice(name.lastIndexOf('-') + 1),
    createdMs: Date.parse(creationTimestamp),
    content: spec as unknown as RevisionContent,
    hasSecrets: data?.['hasSecrets'] === true,
  };
}

/** The whole content; undefined: it is not what was kept. Pure. */
export function contentWith(stored: StoredRevision, secret: Secret): RevisionContent | undefined {
  const text = Buffer.from(secret.data?.[secretsKey] ?? '', 'base64').toString();
  const secrets = text === '' ? undefined : (JSON.parse(text) as Secrets);
  const content = { ...stored.content, ...(secrets === undefined ? {} : { secrets }) };
  return hashOfContent(content) === stored.hash ? content : undefined;
}

/** For the store's `keep`. */
export const keptRevision = (object: ControllerRevision): ControllerRevision => {
  const { creationTimestamp, ownerReferences } = object.metadata;
  const { revision, data } = object;
  return {
    metadata: { ...slimMetadata(object.metadata), creationTimestamp, ownerReferences },
    revision,
    data,
  };
};
