import { hasCode } from '@selvedge/kit';
import type { ExecAction } from '@selvedge/kube/types';

import type { RuntimeCalls } from '../../runtime/index.ts';
import { expand } from '../spec/index.ts';
import { failure, maxOutputBytes, success, type Outcome } from './outcome.ts';
import type { ProbeTarget } from './types.ts';

export type Exec = RuntimeCalls['exec'];

interface ExecRequest {
  readonly action: ExecAction;
  readonly target: ProbeTarget;
  readonly timeoutMs: number;
}

/** Whether a command in the container exits with 0. Only plain values of its environment are known to the command line. */
export async function checkExec(request: ExecRequest, exec: Exec, signal: AbortSignal): Promise<Outcome> {
  const { action, target, timeoutMs } = request;
  const values = new Map((target.container.env ?? []).map(({ name, value = '' }) => [name, value]));
  const command = (action.command ?? []).map((word) => expand(word, (name) => values.get(name)));
  try {
    const { exitCode, stdout, stderr } = await exec({ id: target.containerId, command, timeoutMs }, signal);
    return exitCode === 0 ? success : failure(`${stdout}${stderr}`.slice(0, maxOutputBytes));
  } catch (error) {
    if (!hasCode(error, 'DeadlineExceeded')) throw error;
    return failure(`command timed out: "${command.join(' ')}" timed out after ${timeoutMs / 1000}s`);
  }
}
