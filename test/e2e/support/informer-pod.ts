import { dirname } from 'node:path';
import { imageRefs } from '@selvedge/bed';
import type { KubeObject } from '@selvedge/kube';
import type { Container, Pod } from '@selvedge/kube/types';

/** What `test/bed/go/kube/informer` says. */
export interface InformerLine {
  readonly type: 'add' | 'update' | 'delete' | 'synced' | 'relist' | 'retry' | 'failed';
  readonly key?: string;
  readonly object?: KubeObject & { readonly status?: { readonly seen?: string } };
  readonly message?: string;
}

export interface InformerPodOptions {
  readonly name: string;
  readonly node: string;
  readonly serviceAccountName: string;
  /** On this machine, whose disk the light nodes share. */
  readonly program: string;
  /** One container for each, by its name: the arguments. */
  readonly informers: Readonly<Record<string, readonly string[]>>;
}

/** A pod of client-go informers that find the API by their in-cluster configuration. */
export function informerPod(options: InformerPodOptions): Pod {
  const { name, node, serviceAccountName, program, informers } = options;
  const containers = Object.entries(informers).map(
    ([container, args]): Container => ({
      name: container,
      image: imageRefs.busybox,
      command: [program, ...args],
      volumeMounts: [{ name: 'program', mountPath: dirname(program), readOnly: true }],
    }),
  );
  return {
    metadata: { name },
    spec: {
      nodeName: node,
      serviceAccountName,
      terminationGracePeriodSeconds: 1,
      volumes: [{ name: 'program', hostPath: { path: dirname(program), type: 'Directory' } }],
      containers,
    },
  };
}

/** The lines in a container's log as the runtime wrote it: time, stream, `F` for a whole line or `P` for a part of one. */
export function informerLines(log: string): readonly InformerLine[] {
  const parts = [...log.matchAll(/^\S+ (stdout|stderr) ([FP])\S* (.*)$/gm)].filter(
    ([, stream]) => stream === 'stdout',
  );
  const text = parts.map(([, , tag, part]) => (tag === 'F' ? `${part ?? ''}\n` : (part ?? ''))).join('');
  return text
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as InformerLine);
}
