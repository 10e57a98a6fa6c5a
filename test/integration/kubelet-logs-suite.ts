import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@selvedge/kit';
import type { Pod } from '@selvedge/kube/types';
import { describe, expect, test } from 'vitest';
import { imageRefs } from '../bed/images/index.ts';
import { waitFor } from '../bed/wait.ts';

/** A cluster with one lite node, by kubectl. */
export interface LogsWorld {
  readonly nodeName: string;
  /** Where the node keeps its files. */
  readonly root: () => string;
  create(pod: Pod): Promise<unknown>;
  run(args: readonly string[]): Promise<{
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
  }>;
}

const shell = (script: string): string[] => ['sh', '-c', script];
const lines = 300_000;
/** More than a log may hold before it is rotated, and then some lines when it has been. */
const flood = `seq 1 ${lines}; until [ -e /tmp/go ]; do sleep 0.1; done; seq ${lines + 1} ${lines + 100}`;
const twice =
  'if [ -e /v/x ]; then echo second; echo oops >&2; exec sleep 3600; else touch /v/x; echo first; exit 3; fi';

const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i}\n`).join('');

function pods(nodeName: string): readonly Pod[] {
  const common = { nodeName, hostNetwork: true, terminationGracePeriodSeconds: 0 };
  const container = { name: 'main', image: imageRefs.busybox };
  return [
    {
      metadata: { namespace: 'default', name: 'flood' },
      spec: { ...common, restartPolicy: 'Never', containers: [{ ...container, command: shell(flood) }] },
    },
    {
      metadata: { namespace: 'default', name: 'twice' },
      spec: {
        ...common,
        volumes: [{ name: 'v', emptyDir: {} }],
        containers: [
          {
            ...container,
            command: shell(twice),
            volumeMounts: [{ name: 'v', mountPath: '/v' }],
            resources: { limits: { memory: '64Mi' } },
          },
        ],
      },
    },
    {
      metadata: { namespace: 'default', name: 'never' },
      spec: {
        ...common,
        containers: [{ name: 'main', image: 'not.there/image:1', imagePullPolicy: 'Never' }],
      },
    },
  ];
}

/** Resolves once the log of the pod has been rotated. */
async function rotated(root: string): Promise<void> {
  const folder = join(root, 'var/log/pods');
  await waitFor({ what: 'a rotation' }, systemClock, async () => {
    const names = await readdir(folder, { recursive: true });
    return names.some((name) => /^default_flood_.*\/0\.log\.\d/.test(name));
  });
}

export function describeLogs(world: LogsWorld): void {
  const logs = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await world.run(['logs', ...args]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return stdout;
  };
  const refusal = async (...args: readonly string[]): Promise<string> => {
    const { code, stderr } = await world.run(['logs', ...args]);
    expect(code).toBe(1);
    return stderr;
  };

  describe('logs by kubectl', () => {
    test('are followed over a rotation to their end, each line once', async () => {
      for (const pod of pods(world.nodeName)) await world.create(pod);
      await world.run(['wait', '--for=condition=Ready', 'pod/flood', '--timeout=60s']);
      const followed = logs('-f', 'flood');
      await rotated(world.root());
      await world.run(['exec', 'flood', '--', 'touch', '/tmp/go']);
      expect((await followed) === numbered(1, lines + 100)).toBe(true);
    });

    test('are read across the rotation, whole or their end', async () => {
      expect((await logs('flood')) === numbered(1, lines + 100)).toBe(true);
      expect(await logs('flood', '--tail=150')).toBe(numbered(lines - 49, lines + 100));
      expect(await logs('flood', '--tail=2', '--since=1h')).toBe(numbered(lines + 99, lines + 100));
      expect(await logs('flood', '--since-time=2100-01-01T00:00:00Z')).toBe('');
      expect(await logs('flood', '--limit-bytes=7')).toBe('1\n2\n3\n4');
      expect(await logs('flood', '--tail=1', '--timestamps')).toMatch(
        new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:]{8}\\.\\d{9}\\S+ ${lines + 100}\n$`),
      );
    });

    test('are those of this instance or the one before', async () => {
      await world.run(['wait', '--for=condition=Ready', 'pod/twice', '--timeout=60s']);
      // Two pipes, each with a reader of its own: which line came first is told by their timestamps only.
      expect((await logs('twice')).split('\n').toSorted()).toEqual(['', 'oops', 'second']);
      expect(await logs('twice', '--previous')).toBe('first\n');
      // Straight to the node: the API server passes streams on only with a feature gate.
      const path = `/api/v1/nodes/${world.nodeName}/proxy/containerLogs/default/twice/main?stream=Stderr`;
      expect((await world.run(['get', '--raw', path])).stdout).toBe('oops\n');
    });

    test('that are not there are refused in the words of the kubelet', async () => {
      expect(await refusal('never')).toContain(
        'container "main" in pod "never" is waiting to start: ErrImageNeverPull',
      );
      expect(await refusal('flood', '--previous')).toContain(
        'previous terminated container "main" in pod "flood" not found',
      );
    });
  });
}
