import type { KubeClient } from '@selvedge/kube';

/** What is asked of a cluster about its nodes. */
export type ClusterClient = Pick<KubeClient, 'get' | 'listAll' | 'patch' | 'delete' | 'raw'>;
