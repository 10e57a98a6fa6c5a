import type { Socket } from 'node:net';
import { type Clock, hasCode, withDeadline } from '@selvedge/kit';

/** What takes streams and can be drained of them. */
export interface Drained {
  /** Whose streams are open, or being opened. */
  readonly clients: Iterable<Socket>;
  /** Takes no more; what is open goes on. */
  refuse(): Promise<void>;
}

/** How often is looked whether streams are left. */
const pollMs = 200;

/** Of the time for all of it. */
const shares = {
  /** How long streams are still taken: who does not know yet that this server is not ready asks it until then. */
  taking: 1 / 6,
  /** How long is waited for those over which nothing goes: connections that are kept for later, most of them. */
  quiet: 1 / 2,
};

const bytesOf = ({ bytesRead, bytesWritten }: Socket): number => bytesRead + bytesWritten;

/** Resolves when no streams are left that are worth waiting for, or after so long. They are for the caller to end. */
export async function drain(
  all: readonly Drained[],
  { timeoutMs }: { readonly timeoutMs: number },
  clock: Clock,
): Promise<void> {
  const begunMs = clock.monotonicMs();
  const clients = (): readonly Socket[] => all.flatMap((one) => Array.from(one.clients));
  const before = new Map(clients().map((client) => [client, bytesOf(client)]));
  const isSpeaking = (client: Socket): boolean => bytesOf(client) !== before.get(client);
  const isWorthIt = (): boolean =>
    clock.monotonicMs() - begunMs < timeoutMs * shares.quiet
      ? clients().length > 0
      : clients().some(isSpeaking);
  await withDeadline({ what: 'draining streams', timeoutMs }, clock, async (signal) => {
    await clock.sleep(timeoutMs * shares.taking, signal);
    await Promise.all(all.map((one) => one.refuse()));
    while (isWorthIt()) await clock.sleep(pollMs, signal);
  }).catch((error: unknown) => {
    if (!hasCode(error, 'DeadlineExceeded')) throw error;
  });
}
