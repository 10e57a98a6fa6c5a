import { BoundedMap } from '@selvedge/kit';
import type { TargetTraffic } from './types.ts';

/** What a stream has carried so far, seen from the tunnel. */
interface Carried {
  readonly receivedBytes: number;
  readonly sentBytes: number;
  once(event: 'close', listener: () => void): unknown;
}

interface Tally {
  readonly target: string;
  streams: number;
  receivedBytes: number;
  sentBytes: number;
  readonly open: Set<Carried>;
}

const tallyOf = (target: string): Tally => ({
  target,
  streams: 0,
  receivedBytes: 0,
  sentBytes: 0,
  open: new Set(),
});

const maxTargets = 1_000;

type Bytes = Pick<TargetTraffic, 'receivedBytes' | 'sentBytes'>;

/** What went into the tunnel came from the target, and the other way round. */
function sum(streams: Iterable<Carried>, from: Bytes): Bytes {
  let { receivedBytes, sentBytes } = from;
  for (const stream of streams) {
    receivedBytes += stream.sentBytes;
    sentBytes += stream.receivedBytes;
  }
  return { receivedBytes, sentBytes };
}

/** Counts bytes for each target; the least recently used of too many is forgotten. */
export interface Traffic {
  readonly targets: readonly TargetTraffic[];
  readonly receivedBytes: number;
  readonly sentBytes: number;
  add(target: string, stream: Carried): void;
}

export function createTraffic(): Traffic {
  const tallies = new BoundedMap<string, Tally>({ capacity: maxTargets });
  const gone = { receivedBytes: 0, sentBytes: 0 };
  const open = new Set<Carried>();
  const close = (stream: Carried, tally: Tally): void => {
    open.delete(stream);
    tally.open.delete(stream);
    Object.assign(gone, sum([stream], gone));
    Object.assign(tally, sum([stream], tally));
  };
  return {
    get targets() {
      return Array.from(tallies.values(), (tally) => {
        const { target, streams } = tally;
        return { target, streams, ...sum(tally.open, tally) };
      });
    },
    get receivedBytes() {
      return sum(open, gone).receivedBytes;
    },
    get sentBytes() {
      return sum(open, gone).sentBytes;
    },
    add(target, stream) {
      const tally = tallies.get(target) ?? tallyOf(target);
      tallies.set(target, tally);
      tally.streams += 1;
      tally.open.add(stream);
      open.add(stream);
      stream.once('close', () => close(stream, tally));
    },
  };
}
