import { bodyFormat } from './media-type.ts';
import { translateJsonPatch, translateObject } from './translate-json.ts';
import { translateProtobuf } from './translate-protobuf.ts';
import { translateYaml } from './translate-yaml.ts';
import type { RequestBody, TranslateBody, TranslateVersion } from './types.ts';
import { isJsonText } from './yaml.ts';

/** See `TranslateBody`. An empty body stays one. */
export const translateBody: TranslateBody = (body: RequestBody, translate: TranslateVersion) => {
  const { bytes } = body;
  if (bytes.length === 0) return bytes;
  switch (bodyFormat(body.contentType)) {
    case 'json':
      return translateObject(bytes, false, translate);
    case 'merge-patch':
    case 'strategic-merge-patch':
      return translateObject(bytes, true, translate);
    case 'json-patch':
      return translateJsonPatch(bytes, translate);
    case 'yaml':
    case 'apply':
      return isJsonText(bytes) ? translateObject(bytes, false, translate) : translateYaml(bytes, translate);
    case 'protobuf':
      return translateProtobuf(bytes, translate);
  }
};
