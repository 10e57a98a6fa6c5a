import { SelvedgeError } from '@selvedge/kit';
import {
  type JsonObject,
  type KubeObject,
  invalidPatch,
  isList,
  isObject,
  jsonPatched,
  mergePatched,
  strategicMerged,
  typeOf,
} from '@selvedge/kube';
import { bodyFormat, decodeBody, decodeText } from '../bodies/index.ts';
import type { RequestBody } from '../bodies/types.ts';
import type { ApplyPatchBody } from './types.ts';

const isKubeObject = (value: unknown): value is KubeObject => isObject(value) && isObject(value['metadata']);

function typeOfObject(resource: string, { apiVersion, kind }: KubeObject): string {
  const type = typeOf(apiVersion, kind);
  if (type !== undefined) return type;
  throw new SelvedgeError(`${resource} have no strategic merge here`, { code: 'Unsupported' });
}

/** An apply says what shall be, never how to merge. */
function refuseDirectives(value: unknown): void {
  if (isList(value)) value.forEach(refuseDirectives);
  if (!isObject(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key.startsWith('$')) throw invalidPatch(`there is no field ${JSON.stringify(key)}`);
    refuseDirectives(inner);
  }
}

function applied(type: string, object: JsonObject, patch: JsonObject): JsonObject {
  refuseDirectives(patch);
  return strategicMerged(type, object, patch);
}

function patched(resource: string, object: KubeObject, patch: RequestBody): unknown {
  const before: JsonObject = { ...object };
  switch (bodyFormat(patch.contentType)) {
    case 'json-patch':
      return jsonPatched(before, decodeText(patch));
    case 'merge-patch':
      return mergePatched(before, decodeBody(patch));
    case 'strategic-merge-patch':
      return strategicMerged(typeOfObject(resource, object), before, decodeBody(patch));
    case 'apply':
      return applied(typeOfObject(resource, object), before, decodeBody(patch));
    case 'json':
    case 'yaml':
    case 'protobuf':
      throw new SelvedgeError(`${patch.contentType ?? 'a body without type'} is no patch`, {
        code: 'Unsupported',
      });
  }
}

/** See `ApplyPatchBody`. The object itself stays as it is. */
export const applyPatchBody: ApplyPatchBody = (resource, object, patch) => {
  const result = patched(resource, object, patch);
  if (isKubeObject(result)) return result;
  throw invalidPatch('what comes of it is no object');
};
