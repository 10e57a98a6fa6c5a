import {
  AuthConfig,
  ImageSpec,
  message,
  type ContainerConfig,
  type Image,
  type PodSandboxConfig,
} from '@selvedge/containerd-grpc-types';

import type { Cri } from './cri.ts';
import { removeContainer } from './remove-container.ts';
import { unlessGone } from './unless-gone.ts';

export interface ImageRecord {
  readonly id: string;
  readonly sizeBytes: number;
  /** `repository@sha256:…`. */
  readonly digests: readonly string[];
  /** `repository:tag`. */
  readonly tags: readonly string[];
  /** The user that the image asks for: a number, 0 if it asks for none, or a name to be looked up inside. */
  readonly uid: number | undefined;
  readonly username: string;
}

/** Credentials for one registry; what is absent is left empty. */
export interface PullAuth {
  readonly username?: string;
  readonly password?: string;
  /** base64 of `username:password`. */
  readonly auth?: string;
  readonly serverAddress?: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The calls that change something, and those about images. They reject with the `SelvedgeError` of the transport. */
export interface RuntimeCalls {
  /** The id of the new sandbox, its network included. */
  runSandbox(request: { config: PodSandboxConfig; handler?: string }, signal: AbortSignal): Promise<string>;
  /** Kills what runs in it, gives its network back. A sandbox that is gone is stopped. */
  stopSandbox(id: string, signal: AbortSignal): Promise<void>;
  /** Runtimes remove what is gone already too: with `NotFound` they say that they cannot remove what they still list. */
  removeSandbox(id: string, signal: AbortSignal): Promise<void>;
  /** The id of the new container, which does not run yet. */
  createContainer(
    request: { sandboxId: string; config: ContainerConfig; sandboxConfig: PodSandboxConfig },
    signal: AbortSignal,
  ): Promise<string>;
  startContainer(id: string, signal: AbortSignal): Promise<void>;
  /** Resolves when it has ended: on its own after the stop signal, or killed after `graceSeconds`. */
  stopContainer(request: { id: string; graceSeconds: number }, signal: AbortSignal): Promise<void>;
  /** As `removeSandbox`. */
  removeContainer(id: string, signal: AbortSignal): Promise<void>;
  /** Makes the runtime open the log of a running container by its path again, after it was renamed. */
  reopenLog(id: string, signal: AbortSignal): Promise<void>;
  /** Runs a command inside; `DeadlineExceeded` if it takes longer than `timeoutMs`. */
  exec(
    request: { id: string; command: readonly string[]; timeoutMs: number },
    signal: AbortSignal,
  ): Promise<ExecResult>;
  /** All images that the runtime holds. */
  listImages(signal: AbortSignal): Promise<readonly ImageRecord[]>;
  /** `undefined` if the image is not there. */
  imageStatus(ref: string, signal: AbortSignal): Promise<ImageRecord | undefined>;
  /** The reference of what was pulled. */
  pullImage(
    request: { ref: string; auth?: PullAuth; sandboxConfig?: PodSandboxConfig },
    signal: AbortSignal,
  ): Promise<string>;
}

export interface CallTimeouts {
  /** For calls that only change or read the runtime's own state. */
  readonly callMs: number;
  /** For making a sandbox, which includes its network. */
  readonly sandboxMs: number;
  /** For one pull. */
  readonly pullMs: number;
}

/** Time that a stop may take over its grace period: the kill, and the runtime's own clean-up. */
const stopMarginMs = 60_000;

/** An image that says nothing runs as root. Source: `getImageUser` of the kubelet's `kuberuntime`. */
function uidOf({ uid, username }: Image): number | undefined {
  if (uid !== undefined) return Number(uid.value);
  return username === '' ? 0 : undefined;
}

function toImageRecord(image: Image): ImageRecord {
  return {
    id: image.id,
    sizeBytes: Number(image.size),
    digests: image.repoDigests,
    tags: image.repoTags,
    uid: uidOf(image),
    username: image.username,
  };
}

function sandboxCalls(
  { runtime }: Cri,
  timeouts: CallTimeouts,
): Pick<RuntimeCalls, 'runSandbox' | 'stopSandbox' | 'removeSandbox'> {
  const deadlineMs = timeouts.sandboxMs;
  return {
    async runSandbox({ config, handler }, signal) {
      const answer = await runtime.runPodSandbox(
        { config, runtimeHandler: handler ?? '' },
        { signal, deadlineMs },
      );
      return answer.podSandboxId;
    },
    stopSandbox: (id, signal) =>
      unlessGone(runtime.stopPodSandbox({ podSandboxId: id }, { signal, deadlineMs })),
    async removeSandbox(id, signal) {
      await runtime.removePodSandbox({ podSandboxId: id }, { signal, deadlineMs });
    },
  };
}

function containerCalls(
  cri: Cri,
  timeouts: CallTimeouts,
): Pick<
  RuntimeCalls,
  'createContainer' | 'startContainer' | 'stopContainer' | 'removeContainer' | 'reopenLog' | 'exec'
> {
  const { runtime } = cri;
  const deadlineMs = timeouts.callMs;
  return {
    async createContainer({ sandboxId, config, sandboxConfig }, signal) {
      const request = { podSandboxId: sandboxId, config, sandboxConfig };
      return (await runtime.createContainer(request, { signal, deadlineMs })).containerId;
    },
    async startContainer(id, signal) {
      await runtime.startContainer({ containerId: id }, { signal, deadlineMs });
    },
    stopContainer({ id, graceSeconds }, signal) {
      const request = { containerId: id, timeout: BigInt(Math.trunc(graceSeconds)) };
      const limitMs = graceSeconds * 1000 + stopMarginMs;
      return unlessGone(runtime.stopContainer(request, { signal, deadlineMs: limitMs }));
    },
    removeContainer: (id, signal) => removeContainer(cri, id, { signal, deadlineMs }),
    async reopenLog(id, signal) {
      await runtime.reopenContainerLog({ containerId: id }, { signal, deadlineMs });
    },
    async exec({ id, command, timeoutMs }, signal) {
      const timeout = BigInt(Math.ceil(timeoutMs / 1000));
      const request = { containerId: id, cmd: [...command], timeout };
      const answer = await runtime.execSync(request, { signal, deadlineMs: timeoutMs + deadlineMs });
      return {
        exitCode: answer.exitCode,
        stdout: answer.stdout.toString(),
        stderr: answer.stderr.toString(),
      };
    },
  };
}

function spec(ref: string): ImageSpec {
  return message(ImageSpec, { image: ref, userSpecifiedImage: ref });
}

function imageCalls(
  { images }: Cri,
  timeouts: CallTimeouts,
): Pick<RuntimeCalls, 'listImages' | 'imageStatus' | 'pullImage'> {
  return {
    async listImages(signal) {
      const answer = await images.listImages({ filter: undefined }, { signal, deadlineMs: timeouts.callMs });
      return answer.images.map(toImageRecord);
    },
    async imageStatus(ref, signal) {
      const request = { image: spec(ref), verbose: false };
      const { image } = await images.imageStatus(request, { signal, deadlineMs: timeouts.callMs });
      return image === undefined ? undefined : toImageRecord(image);
    },
    async pullImage({ ref, auth, sandboxConfig }, signal) {
      const credentials = auth === undefined ? undefined : message(AuthConfig, auth);
      const request = { image: spec(ref), auth: credentials, sandboxConfig };
      return (await images.pullImage(request, { signal, deadlineMs: timeouts.pullMs })).imageRef;
    },
  };
}

export function createCalls(cri: Cri, timeouts: CallTimeouts): RuntimeCalls {
  return { ...sandboxCalls(cri, timeouts), ...containerCalls(cri, timeouts), ...imageCalls(cri, timeouts) };
}
