export { invalidPatch } from './invalid-patch.ts';
export { jsonPatched } from './json-patch.ts';
export { isList, isObject, memberOf, type JsonObject } from './json-value.ts';
export { mergePatched } from './merge-patch.ts';
export { strategicMerged } from './strategic.ts';
