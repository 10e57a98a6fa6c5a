import { imageRefs } from '@selvedge/bed';
import type { Container, ContainerStatus, Pod, PodSpec } from '@selvedge/kube/types';

/** What a test says of a pod; the rest is filled in. */
export type PodInput = Partial<Omit<PodSpec, 'containers'>> & {
  readonly name: string;
  /** Default `lite-1`. Bound by name: the scheduler is not asked. */
  readonly node?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly containers: readonly Container[];
};

/** A shell script in a busybox container. */
export function shell(script: string, more: Partial<Container> = {}): Container {
  return { name: 'main', image: imageRefs.busybox, command: ['/bin/sh', '-c', script], ...more };
}

/** A shell script that goes on until it is told to end, at once. */
export function running(script = '', more: Partial<Container> = {}): Container {
  return shell(`trap 'exit 0' TERM; ${script === '' ? ':' : script}; while :; do sleep 1 & wait; done`, more);
}

/** An HTTP server on port 8080: `/hostname`, `/healthz`, `/clientip`, `/echo?code=` and more. */
export function webServer(more: Partial<Container> = {}): Container {
  return {
    name: 'main',
    image: imageRefs.agnhost,
    args: ['netexec', '--http-port=8080'],
    ports: [{ containerPort: 8080 }],
    ...more,
  };
}

/** A pod bound to a node, without a grace period worth waiting for. */
export function pod({ name, node, annotations, labels, ...spec }: PodInput): Pod {
  return {
    metadata: {
      name,
      ...(annotations === undefined ? {} : { annotations }),
      ...(labels === undefined ? {} : { labels }),
    },
    spec: {
      nodeName: node ?? 'lite-1',
      terminationGracePeriodSeconds: 5,
      tolerations: [{ operator: 'Exists' }],
      ...spec,
      containers: [...spec.containers],
    },
  };
}

/** The status of one container, init containers included; by default of the only one, `main`. */
export function containerStatus(of: Pod, name = 'main'): ContainerStatus | undefined {
  const all = [...(of.status?.initContainerStatuses ?? []), ...(of.status?.containerStatuses ?? [])];
  return all.find((status) => status.name === name);
}

export const condition = (of: Pod, type: string): string | undefined =>
  of.status?.conditions?.find((one) => one.type === type)?.status;

export const isReady = (of: Pod): boolean => condition(of, 'Ready') === 'True';
export const succeeded = (of: Pod): boolean => of.status?.phase === 'Succeeded';

/** What the container wrote to its termination-message file before it ended. */
export const lastWords = (of: Pod, name = 'main'): string | undefined =>
  containerStatus(of, name)?.state?.terminated?.message;

/** What is another one as soon as the container of a pod was started again, or the pod made anew. */
export const runOf = (of: Pod): unknown => [
  containerStatus(of)?.containerID,
  containerStatus(of)?.restartCount,
  containerStatus(of)?.state?.running?.startedAt,
  of.status?.podIP,
];
