import { join } from 'node:path';
import {
  DNSConfig,
  LinuxContainerResources,
  LinuxPodSandboxConfig,
  PodSandboxConfig,
  PodSandboxMetadata,
  message,
} from '@selvedge/containerd-grpc-types';
import type { Pod } from '@selvedge/kube/types';

import type { PodEvent } from '../ports.ts';
import { podCgroup } from './cgroup-name.ts';
import { podResolver } from './dns.ts';
import { kernelHostname } from './hostname.ts';
import { logFolder, podRef } from './identity.ts';
import { sandboxLabels } from './marks.ts';
import type { NodeFacts } from './node-facts.ts';
import { portMappings } from './port-mappings.ts';
import { sandboxResources } from './resources.ts';
import { sandboxSecurity } from './security.ts';

export interface SandboxInput {
  readonly pod: Pod;
  /** Starts at 0, one more for each sandbox made anew. */
  readonly attempt: number;
  readonly node: NodeFacts;
}

export interface SandboxPlan {
  /** Its log folder must exist before the sandbox is made. */
  readonly config: PodSandboxConfig;
  /** What a person should know, such as a resolver that did not fit. */
  readonly events: readonly PodEvent[];
}

function linux(pod: Pod, node: NodeFacts): LinuxPodSandboxConfig {
  const sysctls = pod.spec?.securityContext?.sysctls ?? [];
  return message(LinuxPodSandboxConfig, {
    cgroupParent: podCgroup(pod, node.cgroup),
    securityContext: sandboxSecurity(pod),
    sysctls: Object.fromEntries(sysctls.map(({ name, value }) => [name, value])),
    overhead: message(LinuxContainerResources, {}),
    resources: sandboxResources(pod),
  });
}

/** Throws `Invalid` with the kubelet's words for `FailedCreatePodSandBox`. */
export function sandboxConfig({ pod, attempt, node }: SandboxInput): SandboxPlan {
  const { namespace, name, uid } = podRef(pod);
  const { config: resolver, events } = podResolver(pod, node);
  const config = message(PodSandboxConfig, {
    metadata: message(PodSandboxMetadata, { name, uid, namespace, attempt }),
    hostname: pod.spec?.hostNetwork === true ? '' : kernelHostname(pod, node.clusterDomain),
    logDirectory: join(node.podLogs, logFolder(pod)),
    dnsConfig: message(DNSConfig, {
      servers: [...resolver.servers],
      searches: [...resolver.searches],
      options: [...resolver.options],
    }),
    portMappings: portMappings(pod),
    labels: sandboxLabels(pod),
    annotations: { ...pod.metadata.annotations },
    linux: linux(pod, node),
  });
  return { config, events };
}
