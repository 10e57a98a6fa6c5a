import {
  ContainerConfig,
  ContainerMetadata,
  ImageSpec,
  LinuxContainerConfig,
  Signal,
  message,
  type KeyValue,
  type Mount,
} from '@selvedge/containerd-grpc-types';
import type { Container, Pod } from '@selvedge/kube/types';

import { expand } from './expand.ts';
import { containerAnnotations, containerLabels } from './marks.ts';
import type { NodeFacts } from './node-facts.ts';
import { containerResources } from './resources.ts';
import { containerSecurity, type ImageUser } from './security.ts';

export interface ContainerInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly restartCount: number;
  readonly image: ImageUser & {
    /** What the runtime runs: an image id, or a reference by digest. */
    readonly ref: string;
  };
  readonly env: readonly KeyValue[];
  readonly mounts: readonly Mount[];
  readonly node: NodeFacts;
}

function stopSignal({ lifecycle }: Container): Signal {
  const name = lifecycle?.stopSignal ?? '';
  const known = Object.entries(Signal).find(([signal]) => signal === name);
  return known?.[1] ?? Signal.RUNTIME_DEFAULT;
}

/** `<container>/<restart>.log`, below the pod's log folder. */
function logPath(container: string, restartCount: number): string {
  return `${container}/${restartCount}.log`;
}

/** Throws `Invalid` with the kubelet's words for `CreateContainerConfigError`. Its log folder must exist before the start. */
export function containerConfig(input: ContainerInput): ContainerConfig {
  const { pod, container, restartCount, image, node } = input;
  const values = new Map(input.env.map(({ key, value }) => [key, value.toString()]));
  const expanded = (words: readonly string[] = []): string[] =>
    words.map((word) => expand(word, (name) => values.get(name)));
  return message(ContainerConfig, {
    metadata: message(ContainerMetadata, { name: container.name, attempt: restartCount }),
    image: message(ImageSpec, { image: image.ref, userSpecifiedImage: container.image ?? '' }),
    command: expanded(container.command),
    args: expanded(container.args),
    workingDir: container.workingDir ?? '',
    envs: [...input.env],
    mounts: [...input.mounts],
    labels: containerLabels(pod, container),
    annotations: containerAnnotations(pod, container, restartCount),
    logPath: logPath(container.name, restartCount),
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    linux: message(LinuxContainerConfig, {
      resources: containerResources(pod, container, node),
      securityContext: containerSecurity({ pod, container, user: image, node }),
    }),
    stopSignal: stopSignal(container),
  });
}
