import type { PodSecurityContext, PodSpec, Sysctl } from '@selvedge/kube/types';

import { container } from './container-rules.ts';
import { type Rules, below, ignored, noted, only, refused, supported } from './rule.ts';
import { appArmor, noSeLinux, noWindows } from './shared-rules.ts';
import { volume } from './volume-rules.ts';

const scheduling = ignored('for the scheduler');
const admission = ignored('for admission');

/** Source: https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/#safe-and-unsafe-sysctls */
const safeSysctls = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
];

const security = below({
  appArmorProfile: appArmor,
  fsGroup: supported,
  fsGroupChangePolicy: ignored('the supported volumes are small'),
  runAsGroup: supported,
  runAsNonRoot: supported,
  runAsUser: supported,
  seLinuxChangePolicy: ignored('SELinux labels are refused'),
  seLinuxOptions: noSeLinux,
  seccompProfile: supported,
  supplementalGroups: supported,
  supplementalGroupsPolicy: only('Merge'),
  sysctls: below({ name: only(...safeSysctls), value: supported } satisfies Rules<Sysctl>),
  windowsOptions: noWindows,
} satisfies Rules<PodSecurityContext>);

/** Every field of a pod's spec. */
export const podRules = {
  activeDeadlineSeconds: supported,
  affinity: noted('required node affinity is checked when the pod arrives'),
  automountServiceAccountToken: admission,
  containers: container,
  dnsConfig: supported,
  dnsPolicy: supported,
  enableServiceLinks: supported,
  ephemeralContainers: ignored('not started'),
  hostAliases: supported,
  hostIPC: supported,
  hostNetwork: supported,
  hostPID: supported,
  hostUsers: { support: 'supported', only: [true], note: 'user namespaces are not supported' },
  hostname: supported,
  hostnameOverride: supported,
  imagePullSecrets: supported,
  initContainers: container,
  nodeName: supported,
  nodeSelector: noted('checked when the pod arrives'),
  os: noted('a pod of another system is refused with the reason `PodOSNotSupported`'),
  overhead: refused('comes with a runtime class'),
  preemptionPolicy: scheduling,
  priority: noted('only for the OOM score of `system-node-critical` pods'),
  priorityClassName: noted('only for the OOM score of `system-node-critical` pods'),
  readinessGates: supported,
  resourceClaims: refused('dynamic resource allocation'),
  resources: refused('resources of the pod as a whole'),
  restartPolicy: supported,
  runtimeClassName: refused('runtime classes'),
  schedulerName: scheduling,
  schedulingGates: scheduling,
  schedulingGroup: scheduling,
  securityContext: security,
  serviceAccount: ignored('the old name of `serviceAccountName`'),
  serviceAccountName: supported,
  setHostnameAsFQDN: supported,
  shareProcessNamespace: supported,
  subdomain: supported,
  terminationGracePeriodSeconds: supported,
  tolerations: noted('taints with the effect `NoExecute` are checked when the pod arrives'),
  topologySpreadConstraints: scheduling,
  volumes: volume,
} satisfies Rules<PodSpec>;
