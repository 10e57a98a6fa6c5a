import type { Clock, Logger, MetricsRegistry, Random } from '@selvedge/kit';
import type { KubeClient, KubeMetrics, ObjectReader } from '@selvedge/kube';
import type { Node } from '@selvedge/kube/types';
import type { EdgeNodeObject, EdgeUnitObject } from '@selvedge/unit-controller';
import type { Config } from '../config/index.ts';

export interface UnitsDeps {
  /** Of this server among all. */
  readonly server: string;
  readonly config: Pick<Config, 'metricGate'>;
  readonly client: KubeClient;
  readonly edgeUnits: ObjectReader<EdgeUnitObject>;
  /** Names, uids, versions, labels, annotations, taints, `unschedulable` and addresses at least. */
  readonly nodes: ObjectReader<Node>;
  /** With `unitIndexers`. */
  readonly edgeNodes: ObjectReader<EdgeNodeObject>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly kubeMetrics: KubeMetrics;
}
