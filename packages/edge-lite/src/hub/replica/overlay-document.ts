import type { KubeObject } from '@selvedge/kube';

/** An overlay as it is kept. */
export interface OverlayDocument {
  /** Of the object that it was laid over: it is not shown on another one of the same name. */
  readonly uid: string;
  readonly sinceMs: number;
  readonly anchor: KubeObject;
  readonly current: KubeObject;
}
