import { SelvedgeError, type Clock, scoped } from '@selvedge/kit';
import type { Probe } from '@selvedge/kube/types';

import { checkExec, type Exec } from './exec-check.ts';
import { checkGrpc } from './grpc-check.ts';
import { checkHttp } from './http-check.ts';
import type { Outcome } from './outcome.ts';
import { checkTcp } from './tcp-check.ts';
import type { ProbeTarget } from './types.ts';

export interface CheckDeps {
  readonly clock: Clock;
  readonly exec: Exec;
}

/** Runs a probe once. Rejects if it could not be run, which says nothing about the container. */
export type Check = (probe: Probe, target: ProbeTarget, signal: AbortSignal) => Promise<Outcome>;

/** Aborts `work` after a time; unlike a deadline it waits for what `work` makes of that. */
async function limited<T>(
  clock: Clock,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using scope = scoped(signal);
  using timer = scoped(scope.signal);
  const expire = (): void => {
    scope.abort(new SelvedgeError('the probe took too long', { code: 'DeadlineExceeded' }));
  };
  const expiry = clock.sleep(timeoutMs, timer.signal).then(expire, () => undefined);
  try {
    return await work(scope.signal);
  } finally {
    timer.abort();
    await expiry;
  }
}

export function createCheck({ clock, exec }: CheckDeps): Check {
  return async (probe, target, signal) => {
    const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
    const { exec: command, httpGet, tcpSocket, grpc } = probe;
    // The runtime itself keeps the time of a command.
    if (command !== undefined) return checkExec({ action: command, target, timeoutMs }, exec, signal);
    return limited(clock, { timeoutMs, signal }, async (within) => {
      if (httpGet !== undefined) return checkHttp(httpGet, target, within);
      if (tcpSocket !== undefined) return checkTcp(tcpSocket, target, within);
      if (grpc !== undefined) return checkGrpc(grpc, target, within);
      throw new SelvedgeError('missing probe handler', { code: 'Invalid' });
    });
  };
}
