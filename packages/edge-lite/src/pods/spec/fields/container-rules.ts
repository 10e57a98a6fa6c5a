import type {
  Container,
  ContainerRestartRule,
  EnvVar,
  EnvVarSource,
  Lifecycle,
  LifecycleHandler,
  Probe,
  ResourceRequirements,
  SecurityContext,
  VolumeMount,
} from '@selvedge/kube/types';

import { type Rules, below, ignored, noted, only, refused, supported } from './rule.ts';
import { appArmor, noSeLinux, noWindows } from './shared-rules.ts';

const probe = below({
  exec: supported,
  failureThreshold: supported,
  grpc: supported,
  httpGet: noted(
    'certificates are not verified; redirects to another host count as a success with a warning',
  ),
  initialDelaySeconds: supported,
  periodSeconds: noted('until a readiness probe first succeeds it is also tried after 1, 2, 4, … seconds'),
  successThreshold: supported,
  tcpSocket: supported,
  terminationGracePeriodSeconds: supported,
  timeoutSeconds: supported,
} satisfies Rules<Probe>);

const handler = below({
  exec: supported,
  httpGet: supported,
  sleep: supported,
  tcpSocket: refused('the kubelet does not run it either'),
} satisfies Rules<LifecycleHandler>);

const env = below({
  name: supported,
  value: supported,
  valueFrom: below({
    configMapKeyRef: supported,
    fieldRef: supported,
    fileKeyRef: refused('environment from files of a volume'),
    resourceFieldRef: supported,
    secretKeyRef: supported,
  } satisfies Rules<EnvVarSource>),
} satisfies Rules<EnvVar>);

const names = /^(cpu|memory|ephemeral-storage|hugepages-.+)$/;

const resources = below({
  claims: refused('dynamic resource allocation'),
  limits: { support: 'supported', names, note: 'cpu, memory, huge pages; ephemeral-storage is not enforced' },
  requests: { support: 'supported', names },
} satisfies Rules<ResourceRequirements>);

const security = below({
  allowPrivilegeEscalation: supported,
  appArmorProfile: appArmor,
  capabilities: supported,
  privileged: supported,
  procMount: supported,
  readOnlyRootFilesystem: supported,
  runAsGroup: supported,
  runAsNonRoot: supported,
  runAsUser: supported,
  seLinuxOptions: noSeLinux,
  seccompProfile: noted('`Localhost` profiles lie in `/var/lib/selvedge/seccomp` of the node'),
  windowsOptions: noWindows,
} satisfies Rules<SecurityContext>);

const mount = below({
  mountPath: supported,
  mountPropagation: supported,
  name: supported,
  readOnly: supported,
  recursiveReadOnly: only('Disabled', 'IfPossible'),
  subPath: supported,
  subPathExpr: supported,
} satisfies Rules<VolumeMount>);

/** Containers and init containers alike. */
export const container = below({
  args: supported,
  command: supported,
  env,
  envFrom: supported,
  image: supported,
  imagePullPolicy: supported,
  lifecycle: below({
    postStart: handler,
    preStop: handler,
    stopSignal: noted('runtimes before CRI 1.33 use the signal of the image'),
  } satisfies Rules<Lifecycle>),
  livenessProbe: probe,
  name: supported,
  ports: noted('host ports need a CNI plug-in that maps them'),
  readinessProbe: probe,
  resizePolicy: ignored('containers are not resized in place'),
  resources,
  restartPolicy: noted('`Always` makes an init container a sidecar'),
  restartPolicyRules: below({
    action: only('Restart'),
    exitCodes: supported,
  } satisfies Rules<ContainerRestartRule>),
  securityContext: security,
  startupProbe: probe,
  stdin: supported,
  stdinOnce: supported,
  terminationMessagePath: supported,
  terminationMessagePolicy: supported,
  tty: supported,
  volumeDevices: refused('block volumes'),
  volumeMounts: mount,
  workingDir: supported,
} satisfies Rules<Container>);
