import { describe, expect, test } from 'vitest';
import { type EdgeLiteRole, edgeLiteUnit } from './edge-lite-unit.ts';

const roles: readonly EdgeLiteRole[] = ['hub', 'lite'];
const settingsOf = (role: EdgeLiteRole): ReadonlyMap<string, string> =>
  new Map(
    edgeLiteUnit({ role })
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );

describe('the unit of edge-lite', () => {
  test.each(roles)('as %s is told of readiness and life, and is not started again in vain', (role) => {
    expect(Object.fromEntries(settingsOf(role))).toMatchObject({
      ExecStart: '/usr/local/bin/edge-lite run --config /etc/selvedge/edge-lite.yaml',
      ConditionPathExists: '/etc/selvedge/edge-lite.yaml',
      Type: 'notify',
      NotifyAccess: 'all',
      WatchdogSec: '2min',
      Restart: 'on-failure',
      RestartPreventExitStatus: '2 3',
    });
  });

  /** Each gives a unit mounts of its own, which the containers of pods do not see. Source: systemd.exec(5), `MountFlags=`. */
  const ownMounts =
    /^(Private(Tmp|Devices|Mounts|Users|IPC)|Protect(System|Home|Proc|KernelTunables|KernelModules|KernelLogs|ControlGroups)|(ReadOnly|ReadWrite|Inaccessible|Bind)Paths|ProcSubset|RootDirectory|TemporaryFileSystem|MountFlags)$/;

  test('leaves the mounts of a lite node where its containers see them', () => {
    expect([...settingsOf('lite').keys()].filter((name) => ownMounts.test(name))).toEqual([]);
    expect([...settingsOf('hub').keys()].some((name) => ownMounts.test(name))).toBe(true);
  });

  test('starts what it is told to', () => {
    const text = edgeLiteUnit({ role: 'lite', executable: '/usr/bin/edge-lite' });
    expect(text).toContain('\nExecStart=/usr/bin/edge-lite run --config /etc/selvedge/edge-lite.yaml\n');
    expect(text).toContain('\nConditionPathExists=/etc/selvedge/edge-lite.yaml\n');
  });
});
