import type { Container, Pod } from '@selvedge/kube/types';

import { annotations, labels } from '../../runtime/index.ts';
import { containerHash } from './hash.ts';
import { podRef } from './identity.ts';

type Marks = Record<string, string>;

function podLabels(pod: Pod): Marks {
  const { namespace, name, uid } = podRef(pod);
  return { [labels.podName]: name, [labels.podNamespace]: namespace, [labels.podUid]: uid };
}

/** The pod's own labels and those that the kubelet adds. */
export function sandboxLabels(pod: Pod): Marks {
  return { ...pod.metadata.labels, ...podLabels(pod) };
}

export function containerLabels(pod: Pod, container: Container): Marks {
  return { ...podLabels(pod), [labels.containerName]: container.name };
}

const numeric = (key: string, value: number | undefined): Marks =>
  value === undefined ? {} : { [key]: String(value) };

export function containerAnnotations(pod: Pod, container: Container, restartCount: number): Marks {
  const marks: Marks = {
    [annotations.hash]: containerHash(container),
    [annotations.restartCount]: String(restartCount),
    [annotations.terminationMessagePath]: container.terminationMessagePath ?? '',
    [annotations.terminationMessagePolicy]: container.terminationMessagePolicy ?? '',
    ...numeric(annotations.deletionGracePeriod, pod.metadata.deletionGracePeriodSeconds),
    ...numeric(annotations.terminationGracePeriod, pod.spec?.terminationGracePeriodSeconds),
  };
  const preStop = container.lifecycle?.preStop;
  if (preStop !== undefined) marks[annotations.preStopHandler] = JSON.stringify(preStop);
  if ((container.ports ?? []).length > 0) marks[annotations.ports] = JSON.stringify(container.ports);
  return marks;
}
