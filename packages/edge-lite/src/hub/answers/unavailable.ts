import type { SelvedgeError } from '@selvedge/kit';
import { statusError } from './status.ts';
import { timeText, type Autonomy } from './warning.ts';

/** The answer while the cloud is out of reach and nothing here can take its place. `what`: `secrets "a" in "b"`. */
export function unavailable({ nodeName, sinceMs }: Autonomy, what: string): SelvedgeError {
  const message = `node ${nodeName} is autonomous since ${timeText(sinceMs)}: ${what} is not available`;
  return statusError('Unavailable', message, { retryAfterSeconds: 5 });
}
