import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { SelvedgeError, createMetricsRegistry, silentLogger } from '@selvedge/kit';
import { type ManualClock, createManualClock } from '@selvedge/kit/testing';
import type { Pod } from '@selvedge/kube/types';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Answer } from '@selvedge/kit/serve';
import type { ContainerRecord, PodObserved } from '../../runtime/index.ts';
import { statsRoutes } from './routes.ts';

const pod: Pod = {
  metadata: { namespace: 'shop', name: 'till', uid: 'u1' },
  spec: { containers: [{ name: 'main' }], volumes: [{ name: 'cache', emptyDir: {} }] },
};
const container: ContainerRecord = {
  id: 'c1',
  sandboxId: 's1',
  name: 'main',
  createdAtMs: 0,
  state: { kind: 'running', startedAtMs: 1_500 },
  image: 'busy"box',
  imageRef: '',
  imageId: '',
  hash: '',
  restartCount: 0,
  logPath: '/nowhere/0.log',
  user: undefined,
  graceSeconds: undefined,
};
const observed: PodObserved = {
  uid: 'u1',
  namespace: 'shop',
  name: 'till',
  sandboxes: [{ id: 's1', attempt: 0, createdAtMs: 0, state: 'ready', hostNetwork: false, ips: [] }],
  containers: [container, { ...container, id: 'c0', state: { kind: 'created' } }],
};

describe('statistics', () => {
  let root = '';
  let clock: ManualClock;
  let runtimeFails = false;

  const write = async (files: Readonly<Record<string, string>>): Promise<void> => {
    for (const [name, text] of Object.entries(files)) {
      const path = join(root, name);
      await mkdir(join(path, '..'), { recursive: true });
      await writeFile(path, text);
    }
  };

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'stats-'));
    const cgroup = (name: string, usec: number): Readonly<Record<string, string>> => ({
      [`cg${name}/cpu.stat`]: `usage_usec ${usec}\n`,
      [`cg${name}/memory.current`]: '5000\n',
      [`cg${name}/memory.stat`]: 'anon 1000\ninactive_file 2000\n',
      [`cg${name}/cgroup.procs`]: '17\n',
    });
    await write({
      ...cgroup('/kubepods', 4_000_000),
      ...cgroup('/kubepods/besteffort/podu1', 3_000_000),
      ...cgroup('/kubepods/besteffort/podu1/s1', 1_000_000),
      ...cgroup('/kubepods/besteffort/podu1/c1', 2_000_000),
      'proc/stat': 'cpu  100 0 0 0 0 0 0 0 0 0\nbtime 1767225600\n',
      'proc/sys/kernel/random/boot_id': 'this\n',
      'proc/meminfo': 'MemTotal: 1000 kB\nMemFree: 400 kB\n',
      'proc/17/net/dev': ' eth0: 1000 10 1 2 0 0 0 0 2000 20 3 4 0 0 0 0\n',
      'pods/u1/volumes/kubernetes.io~empty-dir/cache/x': '',
    });
  });
  afterAll(() => rm(root, { recursive: true }));
  beforeEach(() => {
    clock = createManualClock();
    runtimeFails = false;
  });

  const answer = async (path: string, query = '', headers = {}): Promise<Answer> => {
    const routes = statsRoutes(
      {
        nodeName: 'edge',
        driver: 'cgroupfs',
        root: '/',
        cgroupVersion: 2,
        podsFolder: join(root, 'pods'),
        cores: 2,
        startTimeMs: 0,
        cgroupMount: join(root, 'cg'),
        proc: join(root, 'proc'),
      },
      {
        source: { list: () => [pod] as never },
        runtime: {
          async observeAll() {
            if (runtimeFails) throw new SelvedgeError('down', { code: 'Unavailable' });
            return [observed];
          },
          writableLayers: async () => new Map([['c1', { mountpoint: '/', usedBytes: 77, inodes: 7 }]]),
          imageDisk: async () => ({ mountpoint: root, usedBytes: 88, inodes: 8 }),
        },
        probes: () => [
          {
            namespace: 'shop',
            pod: 'till',
            podUid: 'u1',
            container: 'main',
            probe: 'liveness',
            result: 'failure',
            count: 3,
          },
        ],
        self: () => ({ cpuNs: 5e9, rssBytes: 6 }),
        clock,
        log: silentLogger,
        metrics: createMetricsRegistry(),
      },
    );
    const route = routes.find((one) => one.path === path);
    if (route?.kind !== 'answer') throw new Error(`no route ${path}`);
    return route.handle({
      method: 'GET',
      path,
      params: {},
      query: new URLSearchParams(query),
      headers,
      user: { username: 'jane', groups: [] },
      signal: new AbortController().signal,
    });
  };
  const get = async (path: string, query = ''): Promise<string> => {
    const { status, body } = await answer(path, query);
    expect(status).toBe(200);
    return Buffer.from(body as Uint8Array).toString();
  };

  it('say what a pod, its containers and its volumes use', async () => {
    expect(JSON.parse(await get('/stats/summary'))).toMatchObject({
      node: { nodeName: 'edge', startTime: '2026-01-01T00:00:00Z', memory: { usageBytes: 600 * 1024 } },
      pods: [
        {
          podRef: { namespace: 'shop', name: 'till', uid: 'u1' },
          cpu: { usageCoreNanoSeconds: 3e9 },
          memory: { workingSetBytes: 3000 },
          network: { name: 'eth0', rxBytes: 1000, txErrors: 3 },
          volume: [{ name: 'cache' }],
          'ephemeral-storage': { usedBytes: 77 },
          containers: [
            {
              name: 'main',
              startTime: '1970-01-01T00:00:01Z',
              cpu: { usageCoreNanoSeconds: 2e9 },
              rootfs: { usedBytes: 77, inodesUsed: 7 },
            },
          ],
        },
      ],
    });
  });

  it('leave out disks and networks where nobody wants them', async () => {
    const { pods } = JSON.parse(await get('/stats/summary', 'only_cpu_and_memory=true'));
    expect(Object.keys(pods[0])).toEqual(['podRef', 'startTime', 'containers', 'cpu', 'memory', 'swap']);
  });

  it('are what metrics-server reads', async () => {
    const text = await get('/metrics/resource');
    const at = clock.now();
    expect(text).toContain(`\nnode_cpu_usage_seconds_total 1 ${at}\n`);
    const labels = '{container="main",namespace="shop",pod="till"}';
    expect(text).toContain(`\ncontainer_cpu_usage_seconds_total${labels} 2 ${at}\n`);
    expect(text).toContain(`\ncontainer_memory_working_set_bytes${labels} 3000 ${at}\n`);
    expect(text).toContain(`\ncontainer_start_time_seconds${labels} 1.5\n`);
    expect(text).toContain('\npod_memory_working_set_bytes{namespace="shop",pod="till"} 3000 ');
    expect(text).toContain('\nscrape_error 0\n');
  });

  it('say when they could not be found out', async () => {
    runtimeFails = true;
    expect(await get('/metrics/resource')).not.toContain('node_cpu');
    expect(await get('/metrics/resource')).toContain('\nscrape_error 1\n');
  });

  it('have the labels of cAdvisor', async () => {
    const text = await get('/metrics/cadvisor');
    const id = '/kubepods/besteffort/podu1';
    const of = 'namespace="shop",pod="till"';
    expect(text).toContain(
      `container_cpu_usage_seconds_total{container="main",id="${id}/c1",image="busy\\"box",name="c1",${of},cpu="total"} 2 `,
    );
    expect(text).toContain(`container_memory_rss{container="",id="${id}",image="",name="",${of}} 1000 `);
    expect(text).toContain(
      `container_network_receive_bytes_total{container="",id="${id}/s1",image="pause",name="s1",${of},interface="eth0"} 1000 `,
    );
    expect(text).toMatch(/\nmachine_cpu_cores\{boot_id="this",machine_id="\w*",system_uuid="[\w-]*"\} 2\n/);
    expect(text).toContain('container_memory_usage_bytes{container="",id="/",image="",');
  });

  it('count probes by their result', async () => {
    expect(await get('/metrics/probes')).toContain(
      'prober_probe_total{container="main",namespace="shop",pod="till",pod_uid="u1",probe_type="Liveness",result="failed"} 3\n',
    );
  });

  it('come compressed to who takes it so', async () => {
    const page = async (encoding: string): Promise<Answer> =>
      answer('/metrics/cadvisor', '', { 'accept-encoding': encoding });
    const zipped = await page('deflate, gzip;q=0.5');
    expect(zipped.headers['content-encoding']).toBe('gzip');
    // The disk of the machine is in use by others.
    const withoutValues = (text: string): string => text.replaceAll(/ \d+ \d+$/gm, '');
    const unzipped = gunzipSync(zipped.body as Uint8Array).toString();
    expect(withoutValues(unzipped)).toBe(withoutValues(await get('/metrics/cadvisor')));
    expect((await page('gzip;q=0, identity')).headers['content-encoding']).toBeUndefined();
    expect((await page('identity')).headers['content-encoding']).toBeUndefined();
  });

  it('count pods and containers', async () => {
    const text = await get('/metrics');
    expect(text).toContain('kubelet_running_pods 1\n');
    expect(text).toContain('kubelet_running_containers{container_state="running"} 1\n');
    expect(text).toContain('kubelet_running_containers{container_state="created"} 1\n');
    expect(text).toContain('process_cpu_seconds_total 5\n');
  });
});
