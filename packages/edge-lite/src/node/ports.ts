import type { ContainerImage, Node } from '@selvedge/kube/types';
import type { RuntimeHealth } from '../runtime/index.ts';

/** What the node needs to know of the container runtime. */
export interface NodeRuntime {
  readonly health: RuntimeHealth;
  /** Calls back after each change of `health`. */
  onHealth(changed: (health: RuntimeHealth) => void): Disposable;
  /** The images it holds, largest first. */
  images(signal: AbortSignal): Promise<readonly ContainerImage[]>;
}

/** This node's Node as the replica sees it. */
export interface ShownNode {
  /** `absent` only where a synced list proves it. */
  get(): { readonly kind: 'present'; readonly object: Node } | { readonly kind: 'absent' | 'unknown' };
  subscribe(changed: () => void): Disposable;
}

/** Records events about the own Node; aggregated and rate-limited behind. */
export interface NodeEvents {
  record(event: {
    readonly type: 'Normal' | 'Warning';
    readonly reason: string;
    readonly message: string;
  }): void;
}
