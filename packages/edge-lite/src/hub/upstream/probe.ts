import { SelvedgeError, withDeadline, type Clock } from '@selvedge/kit';
import type { CredentialSource, Transport } from '@selvedge/kube';
import { firstReady } from './first-ready.ts';
import { reasonOfAll } from './reason.ts';
import type { UpstreamTimings } from './timings.ts';

export interface ProbeOptions extends Pick<UpstreamTimings, 'probeMs' | 'headStartMs'> {
  readonly userAgent: string;
}

export interface ProbeDeps {
  readonly clock: Clock;
  readonly transport: Pick<Transport, 'servers' | 'sendTo'>;
  /** The node's. */
  readonly credentials: CredentialSource;
}

/**
 * Looks for a server that is ready, the one in use first. Refusals of the node itself (401, 403) are answers. Rejects with
 * `Unavailable`, its message being what each server did. Source: kubernetes.io "Kubernetes API health endpoints".
 */
export async function probeServers(
  { probeMs, headStartMs, userAgent }: ProbeOptions,
  { clock, transport, credentials }: ProbeDeps,
  signal: AbortSignal,
): Promise<string> {
  const ask = (server: string, outer: AbortSignal): Promise<void> =>
    withDeadline(
      { what: `/readyz of ${server}`, timeoutMs: probeMs, signal: outer },
      clock,
      async (inner) => {
        const headers = { accept: '*/*', 'user-agent': userAgent };
        const request = { method: 'GET', path: '/readyz', headers, signal: inner };
        const { status, body } = await transport.sendTo(server, request, await credentials(inner));
        body.resume();
        if (status < 500) return;
        throw new SelvedgeError(`not ready (${status})`, { code: 'Unavailable' });
      },
    );
  const { servers } = transport;
  try {
    return await firstReady({ servers, headStartMs }, { clock, ask }, signal);
  } catch (cause) {
    signal.throwIfAborted();
    const errors: readonly unknown[] = cause instanceof AggregateError ? cause.errors : [cause];
    throw new SelvedgeError(reasonOfAll(servers, errors), { code: 'Unavailable', cause });
  }
}
