import {
  Capability,
  type Int64Value,
  LinuxContainerSecurityContext,
  LinuxSandboxSecurityContext,
  SecurityProfile,
  SecurityProfile_ProfileType as ProfileType,
  SupplementalGroupsPolicy,
  message,
} from '@selvedge/containerd-grpc-types';
import { SelvedgeError } from '@selvedge/kit';
import type { Container, Pod, PodSecurityContext, SecurityContext } from '@selvedge/kube/types';

import { allContainers, podTitle } from './identity.ts';
import { namespaces } from './namespaces.ts';
import type { NodeFacts } from './node-facts.ts';
import { quote } from './quote.ts';
import { seccomp } from './seccomp.ts';

/** The user that an image asks for: a number, a name to be looked up inside, or neither. */
export interface ImageUser {
  readonly uid: number | undefined;
  readonly username: string;
}

/** Source: `pkg/securitycontext/util_linux.go` of Kubernetes 1.36. */
const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

const id = (value: number | undefined): Int64Value | undefined =>
  value === undefined ? undefined : { value: BigInt(value) };

/** The container's settings over those of its pod. */
function effective(pod: Pod, container: Container): SecurityContext {
  const { runAsUser, runAsGroup, runAsNonRoot } = pod.spec?.securityContext ?? {};
  return { runAsUser, runAsGroup, runAsNonRoot, ...container.securityContext };
}

function groups({ fsGroup, supplementalGroups = [] }: PodSecurityContext): bigint[] {
  return [...(fsGroup === undefined ? [] : [fsGroup]), ...supplementalGroups].map(BigInt);
}

function groupsPolicy({ supplementalGroupsPolicy }: PodSecurityContext): SupplementalGroupsPolicy {
  return supplementalGroupsPolicy === 'Strict'
    ? SupplementalGroupsPolicy.Strict
    : SupplementalGroupsPolicy.Merge;
}

function refuse(pod: Pod, container: Container, why: string): never {
  const where = `(pod: ${quote(podTitle(pod))}, container: ${container.name})`;
  throw new SelvedgeError(`${why} ${where}`, { code: 'Invalid' });
}

/** The largest user id. */
const maxUid = 2 ** 31 - 1;

/** Throws `Invalid`, in the kubelet's words, if the container must not but would run as root. */
export function verifyNonRoot(pod: Pod, container: Container, user: ImageUser): void {
  const { runAsNonRoot = false, runAsUser } = effective(pod, container);
  if (!runAsNonRoot) return;
  if (runAsUser !== undefined) {
    if (runAsUser === 0) refuse(pod, container, "container's runAsUser breaks non-root policy");
    return;
  }
  const { uid, username } = user;
  if (uid === 0) refuse(pod, container, 'container has runAsNonRoot and image will run as root');
  if (uid === undefined && username !== '') {
    const why = `container has runAsNonRoot and image has non-numeric user (${username}), cannot verify user is non-root`;
    refuse(pod, container, why);
  }
  if (uid !== undefined && uid > maxUid) {
    const why = `container has runAsNonRoot and image has an invalid user id (${uid}). (Must be 1-(${maxUid})): must be between 0 and ${maxUid}, inclusive`;
    refuse(pod, container, why);
  }
}

export function sandboxSecurity(pod: Pod): LinuxSandboxSecurityContext {
  const context = pod.spec?.securityContext ?? {};
  return message(LinuxSandboxSecurityContext, {
    namespaceOptions: namespaces(pod.spec ?? { containers: [] }),
    runAsUser: id(context.runAsUser),
    runAsGroup: id(context.runAsGroup),
    supplementalGroups: groups(context),
    supplementalGroupsPolicy: groupsPolicy(context),
    privileged: allContainers(pod).some(({ securityContext }) => securityContext?.privileged === true),
    // The sandbox's own process needs no more, whatever the pod asks for.
    seccomp: message(SecurityProfile, { profileType: ProfileType.RuntimeDefault }),
  });
}

function capabilities({ capabilities: wanted }: SecurityContext): Capability | undefined {
  if (wanted === undefined) return undefined;
  const { add = [], drop = [] } = wanted;
  return message(Capability, { addCapabilities: [...add], dropCapabilities: [...drop] });
}

function runAs(context: SecurityContext, user: ImageUser): Partial<LinuxContainerSecurityContext> {
  const runAsGroup = id(context.runAsGroup);
  if (context.runAsUser !== undefined) return { runAsUser: id(context.runAsUser), runAsGroup };
  return { runAsUser: id(user.uid), runAsUsername: user.username, runAsGroup };
}

export interface SecurityInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly user: ImageUser;
  readonly node: Pick<NodeFacts, 'seccompProfiles' | 'thermalThrottlePaths'>;
}

/** Source: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/; throws `Invalid`. */
export function containerSecurity(input: SecurityInput): LinuxContainerSecurityContext {
  const { pod, container, user, node } = input;
  verifyNonRoot(pod, container, user);
  const own = effective(pod, container);
  const shared = pod.spec?.securityContext ?? {};
  const unmasked = own.procMount === 'Unmasked';
  return message(LinuxContainerSecurityContext, {
    ...runAs(own, user),
    capabilities: capabilities(own),
    privileged: own.privileged ?? false,
    readonlyRootfs: own.readOnlyRootFilesystem ?? false,
    noNewPrivs: own.allowPrivilegeEscalation === false,
    namespaceOptions: namespaces(pod.spec ?? { containers: [] }),
    supplementalGroups: groups(shared),
    supplementalGroupsPolicy: groupsPolicy(shared),
    seccomp: seccomp(own.seccompProfile ?? shared.seccompProfile, node.seccompProfiles),
    maskedPaths: unmasked ? [] : [...maskedPaths, ...node.thermalThrottlePaths],
    readonlyPaths: unmasked ? [] : readonlyPaths,
  });
}
