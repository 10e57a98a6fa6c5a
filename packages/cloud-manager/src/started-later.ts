import type { Service } from '@selvedge/kit';

/** One service, at two places among others. */
export interface StartedLater {
  /** Where it is to be stopped. */
  readonly place: Service;
  /** Where it is to be started. */
  readonly start: Service;
}

/**
 * A service whose start may have to wait for long, and is to hold up nobody that outlives it or ends before it: what is
 * between `place` and `start` is started without it, and stopped before it.
 */
export const startedLater = (service: Service): StartedLater => ({
  place: { name: service.name, start: () => Promise.resolve(), stop: () => service.stop() },
  start: {
    name: `start of ${service.name}`,
    start: (signal) => service.start(signal),
    stop: () => Promise.resolve(),
  },
});
