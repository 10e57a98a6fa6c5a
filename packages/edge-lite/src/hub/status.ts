import type { ReplicaStore } from '../store/index.ts';
import type { Coverages } from './coverages/types.ts';
import type { Core } from './core.ts';
import type { EventRing } from './events/index.ts';

export interface StatusParts extends Pick<Core, 'upstream' | 'replica' | 'facts' | 'trust'> {
  readonly version: string;
  readonly nodeName: string;
  readonly coverages: Pick<Coverages, 'all'>;
  readonly events: Pick<EventRing, 'size'>;
  readonly state: ReplicaStore;
}

const time = (ms: number): string => new Date(ms).toISOString();

/** Times for people. */
function readable(state: object): object {
  if (!('sinceMs' in state) || typeof state.sinceMs !== 'number') return state;
  const { sinceMs, ...rest } = state;
  return { ...rest, since: time(sinceMs) };
}

/** What `/selvedge/status` shows of the hub; JSON. */
export function hubStatus(parts: StatusParts): object {
  const { version, nodeName, upstream, replica, facts, trust, coverages, events, state: disk } = parts;
  const pods = [...facts.pods.values()].filter(({ alive }) => alive);
  return {
    version,
    nodeName,
    connectivity: readable(upstream.connectivity),
    coverages: coverages.all.map(({ record, state, running }) => {
      const { id: _id, ...spec } = record;
      return { ...spec, sponsor: running, state: readable(state) };
    }),
    overlays: replica.overlays().map(({ resource, namespace, name, sinceMs }) => ({
      resource,
      namespace,
      name,
      since: time(sinceMs),
    })),
    events: events.size,
    state: { ...readable(disk.condition()), bytes: disk.sizeBytes(), salvaged: disk.salvaged },
    pods: {
      count: pods.length,
      autonomousAfterRestart: trust.waiting.map(({ namespace, name }) => ({ namespace, name })),
    },
  };
}
