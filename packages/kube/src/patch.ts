/** A change to an object. Source: kubernetes.io "Update API Objects in Place Using kubectl patch". */
export interface Patch {
  /** The media type. */
  readonly type: string;
  readonly body: unknown;
}

/** One operation of RFC 6902. */
export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly path: string; readonly from: string };

/** RFC 6902. A failed `test` is `Invalid`. */
export function jsonPatch(operations: readonly JsonPatchOperation[]): Patch {
  return { type: 'application/json-patch+json', body: operations };
}

/** RFC 7386: objects are merged, lists replaced, `null` removes. Works on every resource. */
export function mergePatch(body: object): Patch {
  return { type: 'application/merge-patch+json', body };
}

/** Lists are merged by their keys. Built-in resources only. */
export function strategicMergePatch(body: object): Patch {
  return { type: 'application/strategic-merge-patch+json', body };
}

/**
 * Server-side apply: `body` is the whole intent of the field manager, which the call must name. `apiVersion`, `kind`,
 * name and namespace are filled in.
 */
export function applyPatch(body: object): Patch {
  return { type: 'application/apply-patch+yaml', body };
}
