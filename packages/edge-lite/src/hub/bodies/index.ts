export { decodeBody, decodeText } from './decode.ts';
export { bodyFormat, type BodyFormat } from './media-type.ts';
export { translateBody } from './translate.ts';
export { isJsonText } from './yaml.ts';
