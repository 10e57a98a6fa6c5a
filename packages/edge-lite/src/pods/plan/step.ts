/** One thing to do for a pod. A plan holds only steps that need no answer of an earlier one: look again after a round. */
export type Step =
  /** Make the pod's volumes, or take note of those that are there already. */
  | { readonly kind: 'prepare-volumes' }
  | { readonly kind: 'create-sandbox'; readonly attempt: number }
  /** Pull the image if needed, make the container and start it. */
  | StartContainer
  | StopContainer
  | { readonly kind: 'remove-container'; readonly containerId: string; readonly container: string }
  | { readonly kind: 'stop-sandbox'; readonly sandboxId: string }
  | { readonly kind: 'remove-sandbox'; readonly sandboxId: string }
  | { readonly kind: 'remove-volumes' }
  /** A container that failed is not started before `untilMs`. */
  | WaitForBackoff
  /** The pod's network is not ready, so no sandbox is made. */
  | { readonly kind: 'wait-for-network' }
  /** Nothing of the pod is left here: its API object may go. */
  | { readonly kind: 'report-terminated' };

export type ContainerRole = 'init' | 'sidecar' | 'regular';

export interface StartContainer {
  readonly kind: 'start-container';
  readonly container: string;
  readonly role: ContainerRole;
  readonly sandboxId: string;
  readonly restartCount: number;
  /** When the instance before this one ended, in milliseconds since the epoch; feeds the crash back-off. */
  readonly endedAtMs: number | undefined;
}

export interface StopContainer {
  readonly kind: 'stop-container';
  readonly container: string;
  readonly containerId: string;
  readonly graceSeconds: number;
  /** The text of the `Killing` event. */
  readonly message: string;
  /** It is to run again, whatever its exit code and the restart policy say. */
  readonly restart: boolean;
}

export interface WaitForBackoff {
  readonly kind: 'wait-for-backoff';
  readonly container: string;
  readonly untilMs: number;
  readonly delayMs: number;
}
