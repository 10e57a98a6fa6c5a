import { ContainerStatus, Mount, message } from '@selvedge/containerd-grpc-types';
import { describe, expect, it } from 'vitest';

import { annotations } from './labels.ts';
import { type ReadTail, tailOfLog, terminationMessage } from './termination.ts';

const time = '2026-01-01T00:00:00.000000000Z';

function ended(policy: string, exitCode = 1): ContainerStatus {
  return message(ContainerStatus, {
    exitCode,
    logPath: '/log',
    mounts: [message(Mount, { containerPath: '/dev/termination-log', hostPath: '/file' })],
    annotations: {
      [annotations.terminationMessagePath]: '/dev/termination-log',
      [annotations.terminationMessagePolicy]: policy,
    },
  });
}

const files =
  (contents: Readonly<Record<string, string>>): ReadTail =>
  async (path) =>
    contents[path];

describe('the termination message', () => {
  const log = `${time} stdout F first\n${time} stderr P sec\n${time} stderr F ond\n`;

  it.each([
    ['is the file', 'File', 1, 'told', 'told'],
    ['is not the log unless it is asked for', 'File', 1, '', ''],
    ['is the file before the log', 'FallbackToLogsOnError', 1, 'told', 'told'],
    ['is the end of the log of a failure', 'FallbackToLogsOnError', 1, '', 'first\nsecond\n'],
    ['is not the log of a success', 'FallbackToLogsOnError', 0, '', ''],
  ])('%s', async (_, policy, exitCode, written, wanted) => {
    const read = files({ '/file': written, '/log': log });
    expect(await terminationMessage(ended(policy, exitCode), read)).toBe(wanted);
  });

  it('says what keeps it from being read', async () => {
    const read: ReadTail = async (path) => {
      throw new Error(`no permission for ${path}`);
    };
    const file = 'Error on reading termination log /file: no permission for /file';
    expect(await terminationMessage(ended('FallbackToLogsOnError'), read)).toBe(file);
    const noMount = { ...ended('FallbackToLogsOnError'), mounts: [] };
    const logs = 'Error on reading termination message from logs: no permission for /log';
    expect(await terminationMessage(noMount, read)).toBe(logs);
  });

  it('takes 80 lines and 2048 bytes of a log at most', () => {
    const short = Array.from({ length: 100 }, (_, n) => `${time} stdout F ${n}\n`).join('');
    expect(tailOfLog(short).split('\n').slice(0, 2)).toEqual(['20', '21']);
    const long = `${time} stdout F ${'x'.repeat(5000)}\n`;
    expect(Buffer.byteLength(tailOfLog(long))).toBe(2048);
  });
});
