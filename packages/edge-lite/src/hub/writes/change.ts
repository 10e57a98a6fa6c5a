import type { KubeObject } from '@selvedge/kube';
import type { DecodeBody } from '../bodies/types.ts';
import { conflict, modified } from '../forward/index.ts';
import type { ApplyPatchBody } from '../merge/types.ts';
import { type Write, requestBody } from './write.ts';

export interface ChangeDeps {
  readonly decodeBody: DecodeBody;
  readonly applyPatchBody: ApplyPatchBody;
}

/** What a PUT or PATCH would make of `shown`. Throws `Conflict` where a precondition in it does not hold. */
export function changedObject(
  { request, about, resource }: Write,
  shown: KubeObject,
  deps: ChangeDeps,
): KubeObject {
  const body = requestBody(request);
  const next =
    about.verb === 'patch'
      ? deps.applyPatchBody(resource, shown, body)
      : (deps.decodeBody(body) as unknown as KubeObject);
  const { resourceVersion = '', uid = '' } = next.metadata ?? {};
  if (resourceVersion !== '' && resourceVersion !== shown.metadata.resourceVersion) throw modified(about);
  if (uid !== '' && uid !== shown.metadata.uid) {
    const there = shown.metadata.uid ?? '';
    throw conflict(about, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${there}`);
  }
  return next;
}
