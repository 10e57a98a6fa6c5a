import { defineResource, type KubeObject } from '@selvedge/kube';
import type { PodSpec } from '@selvedge/kube/types';
import { type JobOptions, jobDefaults } from './options.ts';
import { stateFolder } from './scripts.ts';

/** As much of it as is used. Source: kubernetes.io "Job v1 batch". */
export interface Job extends KubeObject {
  readonly spec: {
    readonly backoffLimit: number;
    readonly activeDeadlineSeconds: number;
    readonly ttlSecondsAfterFinished: number;
    readonly template: { readonly metadata: KubeObject['metadata']; readonly spec: PodSpec };
  };
}

export const jobs = defineResource<Job>({
  apiVersion: 'batch/v1',
  kind: 'Job',
  plural: 'jobs',
  namespaced: true,
});

export const container = 'shell';
/** The Job controller gives it to the pods of a Job. Source: kubernetes.io "Well-Known Labels". */
export const jobNameLabel = 'batch.kubernetes.io/job-name';
const appLabels = {
  'app.kubernetes.io/name': 'selvedge-node-shell',
  'app.kubernetes.io/managed-by': 'selvedge',
};

/**
 * A pod on one node that only waits, in the namespaces of the machine's processes: PID 1 is seen from there, and by it all
 * others are entered. It asks for no resources and no token, and bears every taint. It goes by itself when its time is up.
 */
export function jobOf(node: string, options: JobOptions): Job {
  const { image, namespace = jobDefaults.namespace, maxSeconds = jobDefaults.maxSeconds } = options;
  return {
    metadata: { generateName: 'selvedge-node-shell-', namespace, labels: appLabels },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: maxSeconds,
      ttlSecondsAfterFinished: 60,
      template: {
        metadata: { labels: appLabels },
        spec: {
          nodeName: node,
          restartPolicy: 'Never',
          hostPID: true,
          hostNetwork: true,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 1,
          tolerations: [{ operator: 'Exists' }],
          containers: [
            {
              name: container,
              image,
              imagePullPolicy: 'IfNotPresent',
              command: ['sleep', `${maxSeconds}`],
              securityContext: { privileged: true, runAsUser: 0 },
              volumeMounts: [{ name: 'state', mountPath: stateFolder }],
            },
          ],
          volumes: [{ name: 'state', emptyDir: { medium: 'Memory' } }],
        },
      },
    },
  };
}
