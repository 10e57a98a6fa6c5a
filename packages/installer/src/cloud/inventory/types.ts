import type { JsonObject } from '@selvedge/kube';

/** Where an object is, and of what resource. */
export interface Place {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  /** Absent in the cluster scope. */
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** One thing that was done, or was about to be done, in the cloud. */
export type InventoryEntry =
  /** `uid` is absent while nobody knows whether it was made. */
  | { readonly kind: 'made'; readonly place: Place; readonly uid?: string | undefined }
  /** Somebody else's, changed. `before` as it was; `after`: a hash of what we made of it, absent while that is not known. */
  | {
      readonly kind: 'changed';
      readonly place: Place;
      readonly uid: string;
      readonly before: JsonObject;
      readonly after?: string | undefined;
    }
  /** `text` is at the end of `key` of a ConfigMap that was there. */
  | { readonly kind: 'text'; readonly place: Place; readonly key: string; readonly text: string }
  | {
      readonly kind: 'machine';
      readonly phase: 'manager' | 'egress';
      readonly name: string;
      readonly addresses: readonly string[];
    };

/** What was made and changed in the cloud, in that order: all that is needed to take it back. */
export interface Inventory {
  /** The version of the program that wrote it. */
  readonly version: string;
  readonly mode: 'deployment' | 'unit';
  /** Everything was done. */
  readonly complete: boolean;
  readonly tunnelServers: readonly string[];
  readonly entries: readonly InventoryEntry[];
}
