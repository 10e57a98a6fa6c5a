import type { Clock, MetricsRegistry, Random } from '@selvedge/kit';
import type { Access } from '../access/types.ts';
import type { CustomColumns } from '../answers/index.ts';
import type { Coverages } from '../coverages/types.ts';
import type { HeldResource, Replica } from '../replica/types.ts';
import type { HubHandler, HubRequest } from '../request.ts';
import type { ResourceRequest } from '../request-info/index.ts';
import type { CustomFields } from '../selection/index.ts';
import type { Upstream } from '../upstream/types.ts';
import type { ReadMetrics } from './metrics.ts';
import type { PointEntries } from './points.ts';

export interface ReadsOptions {
  readonly nodeName: string;
  /** How long a request waits for a coverage's first list. Default 60 s. */
  readonly syncTimeoutMs?: number;
  /** A watch that does not say how long lasts once to twice as long. Default 30 min, as the API server's. */
  readonly minWatchMs?: number;
}

/** What is known of the types of the API, custom ones included. */
export interface Types {
  /** `Pod`; undefined: nothing is known of the resource. */
  readonly kindOf: (resource: HeldResource) => string | undefined;
  readonly customFields: CustomFields;
  readonly customColumns: CustomColumns;
}

export interface ReadsDeps {
  readonly replica: Pick<Replica, 'coverages' | 'reader'>;
  readonly coverages: Pick<Coverages, 'all' | 'covering' | 'join'>;
  readonly access: Pick<Access, 'authorize'>;
  readonly upstream: Pick<Upstream, 'connectivity'>;
  /** Passes a request on to the API server. */
  readonly forward: HubHandler;
  readonly points: PointEntries;
  readonly types: Types;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: MetricsRegistry;
}

/** What the parts of the reads share. */
export interface ReadsParts extends Omit<ReadsDeps, 'metrics'> {
  readonly metrics: ReadMetrics;
}

/** One request with what it asks for. */
export interface Read {
  readonly request: HubRequest;
  readonly info: ResourceRequest;
}
