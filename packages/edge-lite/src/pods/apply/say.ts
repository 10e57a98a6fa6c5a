import { SelvedgeError, messageOf } from '@selvedge/kit';
import type { Pod } from '@selvedge/kube/types';

import type { PodEvent, PodEvents } from '../ports.ts';
import { podRef } from '../spec/index.ts';

export type Say = (event: Omit<PodEvent, 'fieldPath'>) => void;

/** Records events about a pod, or about one of its containers. */
export function sayAbout(events: PodEvents, pod: Pod, container?: string): Say {
  const init = pod.spec?.initContainers?.some(({ name }) => name === container) === true;
  const fieldPath = `spec.${init ? 'initContainers' : 'containers'}{${container ?? ''}}`;
  const about = container === undefined ? {} : { fieldPath };
  return (event) => events.record(podRef(pod), { ...event, ...about });
}

/** What the runtime said, without the name of the call that our client puts before it. */
export function runtimeMessage(error: unknown): string {
  const text = messageOf(error);
  const fromRuntime = error instanceof SelvedgeError && error.details['grpcStatus'] !== undefined;
  return fromRuntime ? text.replace(/^[A-Z]\w*: /, '') : text;
}
