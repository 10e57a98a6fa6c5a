import type { EventRecorder } from '@selvedge/kube';
import type { PodEvents } from '../pods/index.ts';

/** Events about pods, through the recorder that aggregates and limits them. */
export function createPodEvents(deps: { readonly recorder: Pick<EventRecorder, 'record'> }): PodEvents {
  return {
    record({ namespace, name, uid }, { type, reason, message, fieldPath }) {
      const about = { apiVersion: 'v1', kind: 'Pod', namespace, name, uid };
      deps.recorder.record(fieldPath === undefined ? about : { ...about, fieldPath }, {
        type,
        reason,
        message,
      });
    },
  };
}
