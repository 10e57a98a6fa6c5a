import { SelvedgeError } from '../index.ts';

export interface PlacesOptions {
  /** What there is a number of; named in the error. */
  readonly what: string;
  /** Default: as many as there are clients for. */
  readonly total?: number;
  readonly perClient: number;
}

/** One of them, free again once disposed. */
export type Place = Disposable;

/** A number of things that clients may have at a time. */
export interface Places {
  readonly taken: number;
  /** Throws `ResourceExhausted`; `details.full` says of what there are enough: `total`, `client`. */
  take(client: string): Place;
}

function exhausted(message: string, full: 'total' | 'client'): SelvedgeError {
  return new SelvedgeError(message, {
    code: 'ResourceExhausted',
    details: { full, retryAfterSeconds: 1 },
  });
}

export function createPlaces({ what, total = Infinity, perClient }: PlacesOptions): Places {
  const clients = new Map<string, number>();
  let taken = 0;
  return {
    get taken() {
      return taken;
    },
    take(client) {
      const own = clients.get(client) ?? 0;
      if (own >= perClient) throw exhausted(`${client} has ${own} ${what} already`, 'client');
      if (taken >= total) throw exhausted(`there are ${total} ${what} already`, 'total');
      taken += 1;
      clients.set(client, own + 1);
      const free = new DisposableStack();
      free.defer(() => {
        taken -= 1;
        const left = (clients.get(client) ?? 1) - 1;
        if (left === 0) clients.delete(client);
        else clients.set(client, left);
      });
      return free;
    },
  };
}
