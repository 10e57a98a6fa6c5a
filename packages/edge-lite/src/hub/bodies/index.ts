export { decodeBody, decodeText } from './decode.ts';
export { bodyFormat, type BodyFormat } from './media-type.ts';
export { objectName } from './object-name.ts';
export { translateBody } from './translate.ts';
export { isJsonText } from './yaml.ts';
