import type { PodSandboxConfig } from '@selvedge/containerd-grpc-types';
import { BoundedMap, type Clock, type Limiter, createLimiter, isAbort, messageOf } from '@selvedge/kit';
import type { Container, Pod, Secret } from '@selvedge/kube/types';

import type { ImageRecord, RuntimeCalls } from '../../runtime/index.ts';
import type { PodEvent } from '../ports.ts';
import { credentialsFor } from './keyring.ts';
import { defaultPullPolicy, parseImageReference, withDefaultTag } from './reference.ts';

export interface ImageOptions {
  /** Pulls at a time; the kubelet's default is one, ours three. */
  readonly maxParallelPulls: number;
  /** (pod, image) pairs in back-off that are remembered. */
  readonly maxBackoffs: number;
}

export interface ImageDeps {
  readonly runtime: Pick<RuntimeCalls, 'imageStatus' | 'pullImage'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

export interface ImageRequest {
  readonly pod: Pod;
  readonly container: Container;
  /** Those of the pod's `imagePullSecrets` that exist. */
  readonly secrets: readonly Secret[];
  readonly sandboxConfig: PodSandboxConfig;
  /** Says what happens, about this container. */
  readonly say: (event: Omit<PodEvent, 'fieldPath'>) => void;
}

export type ImageResult =
  | { readonly kind: 'present'; readonly ref: string; readonly image: ImageRecord }
  | {
      readonly kind: 'missing';
      /** `ErrImagePull`, `ImagePullBackOff`, `ErrImageNeverPull`, `InvalidImageName`, `ImageInspectError`. */
      readonly reason: string;
      readonly message: string;
      /** When it is worth asking again, by the monotonic clock. */
      readonly retryAtMs: number;
    };

/** Sees to it that a container's image is there. */
export interface Images {
  ensure(request: ImageRequest, signal: AbortSignal): Promise<ImageResult>;
  /** Forgets the back-offs of a pod. */
  forget(podUid: string): void;
}

interface PullBackoff {
  readonly delayMs: number;
  readonly failedAtMs: number;
  readonly error: string;
}

/**
 * As the kubelet: `imageBackOffPeriod`, `MaxImageBackOff`; forgotten after twice the longest. A failure is shown for
 * `showMs`, then the back-off instead.
 */
const policy = { initialMs: 10_000, maxMs: 300_000, resetAfterMs: 600_000, showMs: 1000 };

/** The runtime's own names for what went wrong, which it puts before its message. Source: `k8s.io/cri-api/pkg/errors`. */
const runtimeReasons = ['RegistryUnavailable', 'SignatureValidationFailed'];

function nextBackoff(before: PullBackoff | undefined, nowMs: number, error: string): PullBackoff {
  const fresh = before === undefined || nowMs - before.failedAtMs > policy.resetAfterMs;
  const delayMs = fresh ? policy.initialMs : Math.min(before.delayMs * 2, policy.maxMs);
  return { delayMs, failedAtMs: nowMs, error };
}

/** A duration as the kubelet prints it in events: whole milliseconds. */
function goMillis(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)}ms` : `${(Math.round(ms) / 1000).toString()}s`;
}

interface Attempt extends ImageRequest {
  /** As it is written in the spec. */
  readonly written: string;
  /** As the runtime is asked for it. */
  readonly ref: string;
  readonly key: string;
}

class ImageKeeper implements Images {
  readonly #deps: ImageDeps;
  readonly #pulls: Limiter;
  readonly #backoffs: BoundedMap<string, PullBackoff>;

  constructor(options: ImageOptions, deps: ImageDeps) {
    this.#deps = deps;
    this.#pulls = createLimiter({ capacity: options.maxParallelPulls });
    this.#backoffs = new BoundedMap({ capacity: options.maxBackoffs });
  }

  async ensure(request: ImageRequest, signal: AbortSignal): Promise<ImageResult> {
    const written = request.container.image ?? '';
    let ref: string;
    try {
      ref = withDefaultTag(written);
    } catch (error) {
      const message = `Failed to apply default image tag "${written}": ${messageOf(error)}`;
      request.say({ type: 'Warning', reason: 'InspectFailed', message });
      return this.#missing('InvalidImageName', message);
    }
    const key = `${request.pod.metadata.uid ?? ''}_${written}`;
    return this.#ensure({ ...request, written, ref, key }, signal);
  }

  forget(podUid: string): void {
    for (const key of this.#backoffs.keys()) {
      if (key.startsWith(`${podUid}_`)) this.#backoffs.delete(key);
    }
  }

  async #ensure(attempt: Attempt, signal: AbortSignal): Promise<ImageResult> {
    const policyName = attempt.container.imagePullPolicy ?? defaultPullPolicy(attempt.ref);
    if (policyName === 'Always') return this.#pull(attempt, signal);
    try {
      const image = await this.#deps.runtime.imageStatus(attempt.ref, signal);
      if (image !== undefined) return this.#present(attempt, image);
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      const message = `Failed to inspect image "": ${messageOf(error)}`;
      attempt.say({ type: 'Warning', reason: 'InspectFailed', message });
      return this.#missing('ImageInspectError', message);
    }
    if (policyName !== 'Never') return this.#pull(attempt, signal);
    const message = `Container image "${attempt.written}" is not present with pull policy of Never`;
    attempt.say({ type: 'Warning', reason: 'ErrImageNeverPull', message });
    return this.#missing('ErrImageNeverPull', message);
  }

  #present(attempt: Attempt, image: ImageRecord): ImageResult {
    const message = `Container image "${attempt.written}" already present on machine and can be accessed by the pod`;
    attempt.say({ type: 'Normal', reason: 'Pulled', message });
    return { kind: 'present', ref: image.id, image };
  }

  #missing(reason: string, message: string, retryAtMs?: number): ImageResult {
    return {
      kind: 'missing',
      reason,
      message,
      retryAtMs: retryAtMs ?? this.#deps.clock.monotonicMs() + policy.initialMs,
    };
  }

  async #pull(attempt: Attempt, signal: AbortSignal): Promise<ImageResult> {
    const before = this.#backoffs.get(attempt.key);
    const nowMs = this.#deps.clock.monotonicMs();
    const untilMs = before === undefined ? 0 : before.failedAtMs + before.delayMs;
    if (before !== undefined && nowMs < untilMs) {
      const message = `Back-off pulling image "${attempt.written}"`;
      attempt.say({ type: 'Normal', reason: 'BackOff', message });
      return this.#missing('ImagePullBackOff', `${message}: ${before.error}`, untilMs);
    }
    attempt.say({ type: 'Normal', reason: 'Pulling', message: `Pulling image "${attempt.written}"` });
    try {
      return await this.#pulled(attempt, signal);
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      return this.#failed(attempt, before, messageOf(error));
    }
  }

  #failed(attempt: Attempt, before: PullBackoff | undefined, error: string): ImageResult {
    const message = `Failed to pull image "${attempt.written}": ${error}`;
    attempt.say({ type: 'Warning', reason: 'Failed', message });
    const reason = runtimeReasons.find((name) => error.includes(`${name}:`)) ?? 'ErrImagePull';
    const backoff = nextBackoff(before, this.#deps.clock.monotonicMs(), `${reason}: ${error}`);
    this.#backoffs.set(attempt.key, backoff);
    return this.#missing(reason, error, backoff.failedAtMs + policy.showMs);
  }

  async #pulled(attempt: Attempt, signal: AbortSignal): Promise<ImageResult> {
    const { clock, runtime } = this.#deps;
    const askedMs = clock.monotonicMs();
    return this.#pulls.run(signal, async () => {
      const beganMs = clock.monotonicMs();
      const ref = await this.#tryCredentials(attempt, signal);
      const image = await runtime.imageStatus(ref, signal);
      const endMs = clock.monotonicMs();
      if (image === undefined) throw new Error(`image "${ref}" is gone right after it was pulled`);
      const times = `${goMillis(endMs - beganMs)} (${goMillis(endMs - askedMs)} including waiting)`;
      const message = `Successfully pulled image "${attempt.written}" in ${times}. Image size: ${image.sizeBytes} bytes.`;
      attempt.say({ type: 'Normal', reason: 'Pulled', message });
      this.#backoffs.delete(attempt.key);
      return { kind: 'present', ref, image };
    });
  }

  /** With each of the credentials that match in turn, or with none. */
  async #tryCredentials(attempt: Attempt, signal: AbortSignal): Promise<string> {
    const { ref, sandboxConfig } = attempt;
    const credentials = credentialsFor(parseImageReference(ref), attempt.secrets);
    const errors: unknown[] = [];
    for (const auth of credentials) {
      try {
        return await this.#deps.runtime.pullImage({ ref, auth, sandboxConfig }, signal);
      } catch (error) {
        if (isAbort(error, signal)) throw error;
        errors.push(error);
      }
    }
    if (errors.length === 0) return this.#deps.runtime.pullImage({ ref, sandboxConfig }, signal);
    if (errors.length === 1) throw errors[0];
    throw new AggregateError(errors, `[${errors.map(messageOf).join(', ')}]`);
  }
}

/** Pull policy, credentials, back-off and events as the kubelet has them. */
export function createImages(options: ImageOptions, deps: ImageDeps): Images {
  return new ImageKeeper(options, deps);
}
