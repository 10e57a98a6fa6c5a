import { connect } from 'node:net';
import type { TCPSocketAction } from '@selvedge/kube/types';

import { failure, success, type Outcome } from './outcome.ts';
import { hostOf, resolvePort } from './port.ts';
import { hostPort, socketWords } from './socket-words.ts';
import type { ProbeTarget } from './types.ts';

function reach(host: string, port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const finish = (settle: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      settle();
    };
    function onAbort(): void {
      finish(() => reject(signal.reason));
    }
    socket.on('error', (error) => finish(() => reject(error)));
    socket.once('connect', () => finish(resolve));
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Whether something accepts connections. */
export async function checkTcp(
  action: TCPSocketAction,
  target: ProbeTarget,
  signal: AbortSignal,
): Promise<Outcome> {
  const port = resolvePort(action.port, target.container);
  const host = hostOf(action.host, target);
  try {
    await reach(host, port, signal);
    return success;
  } catch (error) {
    return failure(socketWords(error, hostPort(host, port)));
  }
}
