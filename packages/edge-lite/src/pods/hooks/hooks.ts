import { type Clock, SelvedgeError } from '@selvedge/kit';
import type { LifecycleHandler } from '@selvedge/kube/types';

import type { RuntimeCalls } from '../../runtime/index.ts';
import type { HookTarget, Hooks } from '../apply/index.ts';
import { type HttpGet, hookUrl } from './http-hook.ts';

export interface HooksDeps {
  readonly runtime: Pick<RuntimeCalls, 'exec'>;
  readonly httpGet: HttpGet;
  readonly clock: Pick<Clock, 'sleep'>;
}

/** A hook may take as long as it needs; the container's end, or the end of its grace period, ends the wait for it. */
const maxHookMs = 24 * 3_600_000;

interface On {
  readonly target: HookTarget;
  readonly signal: AbortSignal;
}

async function runExec(deps: HooksDeps, command: readonly string[], { target, signal }: On): Promise<void> {
  const request = { id: target.containerId, command, timeoutMs: maxHookMs };
  const { exitCode, stdout, stderr } = await deps.runtime.exec(request, signal);
  if (exitCode === 0) return;
  const words = command.join(' ');
  const message = `command '${words}' exited with ${exitCode}: ${stderr}, message: "${stdout}${stderr}"`;
  throw new SelvedgeError(message, { code: 'Internal' });
}

async function run(deps: HooksDeps, handler: LifecycleHandler | undefined, on: On): Promise<void> {
  if (handler?.exec !== undefined) await runExec(deps, handler.exec.command ?? [], on);
  if (handler?.sleep !== undefined) await deps.clock.sleep(handler.sleep.seconds * 1000, on.signal);
  if (handler?.httpGet !== undefined) await deps.httpGet(hookUrl(handler.httpGet, on.target), on.signal);
}

export function createHooks(deps: HooksDeps): Hooks {
  return {
    postStart: (target, signal) => run(deps, target.container.lifecycle?.postStart, { target, signal }),
    preStop: (target, signal) => run(deps, target.container.lifecycle?.preStop, { target, signal }),
  };
}
