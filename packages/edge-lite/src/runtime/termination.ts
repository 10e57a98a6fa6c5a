import type { ContainerStatus } from '@selvedge/containerd-grpc-types';
import { messageOf } from '@selvedge/kit';

import { annotations } from './labels.ts';

/** Reads the last `maxBytes` of a file; `undefined` if there is none. */
export type ReadTail = (path: string, maxBytes: number) => Promise<string | undefined>;

/** As the kubelet: `MaxContainerTerminationMessageLength`, `…LogLength`, `…LogLines`. */
const maxMessageBytes = 4096;
const maxLogBytes = 2048;
const maxLogLines = 80;
/** Each line of a CRI log carries a time, a stream and a tag of about 40 bytes before its text. */
const maxRawLogBytes = maxLogBytes + maxLogLines * 64;

/**
 * The text of the last lines of a log in the CRI's format (`<time> <stream> <F|P> <text>`).
 * Source: https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
 */
export function tailOfLog(raw: string): string {
  const lines = raw.split('\n').filter((line) => line !== '');
  const parsed = lines.map((line) => /^\S+ (?:stdout|stderr) ([FP])\S* ?(.*)$/.exec(line));
  const text = parsed
    .slice(-maxLogLines)
    .map((match) => (match === null ? '' : `${match[2] ?? ''}${match[1] === 'P' ? '' : '\n'}`))
    .join('');
  return Buffer.from(text).subarray(-maxLogBytes).toString();
}

async function fromLog(status: ContainerStatus, readTail: ReadTail): Promise<string> {
  try {
    return tailOfLog((await readTail(status.logPath, maxRawLogBytes)) ?? '');
  } catch (error) {
    return `Error on reading termination message from logs: ${messageOf(error)}`;
  }
}

/**
 * What an ended container left as its termination message: the file at `terminationMessagePath`, or the end of its log if
 * its policy is `FallbackToLogsOnError`, it failed and the file is empty.
 * Source: https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/
 */
export async function terminationMessage(status: ContainerStatus, readTail: ReadTail): Promise<string> {
  const policy = status.annotations[annotations.terminationMessagePolicy];
  const mayFallBack =
    policy === 'FallbackToLogsOnError' && status.exitCode !== 0 && status.reason !== 'StartError';
  const path = status.annotations[annotations.terminationMessagePath];
  const mount = status.mounts.find(
    ({ containerPath }) => path !== undefined && path !== '' && containerPath === path,
  );
  let written = '';
  try {
    if (mount !== undefined) written = (await readTail(mount.hostPath, maxMessageBytes)) ?? '';
  } catch (error) {
    return `Error on reading termination log ${mount?.hostPath ?? ''}: ${messageOf(error)}`;
  }
  return written === '' && mayFallBack ? fromLog(status, readTail) : written;
}
