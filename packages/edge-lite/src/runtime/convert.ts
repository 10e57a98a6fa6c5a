import {
  ContainerState as CriState,
  NamespaceMode,
  PodSandboxState,
  type ContainerStatus,
  type PodSandboxNetworkStatus,
  type PodSandboxStatus,
} from '@selvedge/containerd-grpc-types';

import { annotations, labels } from './labels.ts';
import type { ContainerRecord, ContainerState, SandboxRecord } from './records.ts';

/** Nanoseconds since the epoch, as the CRI has them, to milliseconds. */
function fromNanos(nanos: bigint): number {
  return Number(nanos / 1_000_000n);
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

function addresses(network: PodSandboxNetworkStatus | undefined): readonly string[] {
  if (network === undefined) return [];
  return [network.ip, ...network.additionalIps.map(({ ip }) => ip)].filter((ip) => ip !== '');
}

export function toSandboxRecord(status: PodSandboxStatus): SandboxRecord {
  const ready = status.state === PodSandboxState.SANDBOX_READY;
  return {
    id: status.id,
    attempt: status.metadata?.attempt ?? 0,
    createdAtMs: fromNanos(status.createdAt),
    state: ready ? 'ready' : 'not-ready',
    hostNetwork: status.linux?.namespaces?.options?.network === NamespaceMode.NODE,
    ips: ready ? addresses(status.network) : [],
  };
}

function toState(status: ContainerStatus, terminationMessage: string): ContainerState {
  switch (status.state) {
    case CriState.CONTAINER_CREATED:
      return { kind: 'created' };
    case CriState.CONTAINER_RUNNING:
      return { kind: 'running', startedAtMs: fromNanos(status.startedAt) };
    case CriState.CONTAINER_EXITED:
      return {
        kind: 'exited',
        startedAtMs: fromNanos(status.startedAt),
        finishedAtMs: fromNanos(status.finishedAt),
        exitCode: status.exitCode,
        reason: status.reason,
        message: [status.message, terminationMessage].filter((part) => part !== '').join(': '),
      };
    case CriState.CONTAINER_UNKNOWN:
    case CriState.UNRECOGNIZED:
      return { kind: 'unknown' };
    default:
      return { kind: 'unknown' };
  }
}

function toUser(status: ContainerStatus): ContainerRecord['user'] {
  const linux = status.user?.linux;
  if (linux === undefined) return undefined;
  return { uid: Number(linux.uid), gid: Number(linux.gid), groups: linux.supplementalGroups.map(Number) };
}

/** `sandboxId` comes from the list: a container's status does not tell it. */
export function toContainerRecord(
  status: ContainerStatus,
  more: { readonly sandboxId: string; readonly terminationMessage: string },
): ContainerRecord {
  const notes = status.annotations;
  return {
    id: status.id,
    sandboxId: more.sandboxId,
    name: status.labels[labels.containerName] ?? status.metadata?.name ?? '',
    createdAtMs: fromNanos(status.createdAt),
    state: toState(status, more.terminationMessage),
    image: status.image?.image ?? '',
    imageRef: status.imageRef,
    imageId: status.imageId === '' ? status.imageRef : status.imageId,
    hash: notes[annotations.hash] ?? '',
    restartCount: wholeNumber(notes[annotations.restartCount]) ?? 0,
    logPath: status.logPath,
    user: toUser(status),
    graceSeconds: wholeNumber(
      notes[annotations.deletionGracePeriod] ?? notes[annotations.terminationGracePeriod],
    ),
  };
}
