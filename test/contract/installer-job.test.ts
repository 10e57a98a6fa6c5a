import { type Host, type JobOptions, createJobHosts } from '@selvedge/installer';
import { type Clock, createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import { createKubeClient, createKubeMetrics, defaultTimeouts, staticCredentials } from '@selvedge/kube';
import { describe, expect, it, vi } from 'vitest';
import { type ExecServer, startExecServer } from './exec-server.ts';
import { hostContract } from './installer-host.ts';

vi.setConfig({ testTimeout: 60_000 });

const machine = { name: 'shop-1', addresses: [] };
/** Between two looks at the pod of a Job. */
const lookEveryMs = 250;

interface Given extends Partial<JobOptions> {
  readonly clock?: Clock;
  readonly onNote?: (text: string) => void;
}

/** The machine's clock, but what waits for `ms` waits until somebody lets that time pass. */
function clockThatWaits(ms: number): { readonly clock: Clock; readonly pass: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let hasPassed = false;
  const sleep: Clock['sleep'] = (forMs, signal) => {
    const asEver = systemClock.sleep(forMs, signal);
    return forMs === ms && !hasPassed ? Promise.race([promise, asEver]) : asEver;
  };
  const pass = (): void => {
    hasPassed = true;
    resolve();
  };
  return { clock: { ...systemClock, sleep }, pass };
}

function nothingStays(text: string): void {
  throw new Error(text);
}

async function open(
  server: ExecServer,
  { clock = systemClock, onNote = nothingStays, ...more }: Given = {},
): Promise<Host> {
  const credentials = staticCredentials({});
  const deps = { clock, random: () => 0.5 };
  const metrics = createKubeMetrics(createMetricsRegistry());
  const cluster = createKubeClient(
    { servers: [server.url], userAgent: 'test' },
    { ...deps, credentials, log: silentLogger, metrics },
  );
  const api = { server: server.url, credentials };
  try {
    const hosts = createJobHosts({ image: 'node-shell', ...more }, { cluster, api, onNote, ...deps });
    const host = await hosts.open(machine);
    return {
      ...host,
      async [Symbol.asyncDispose]() {
        await host[Symbol.asyncDispose]();
        await cluster.close();
      },
    };
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

async function openAlone(): Promise<Host> {
  const server = await startExecServer();
  const host = await open(server);
  return {
    ...host,
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

hostContract('a machine behind a Job', openAlone);

describe('a machine behind a Job', () => {
  it('has no more than eight programs at a time: each counts those beside it', async () => {
    await using host = await openAlone();
    const folder = (await host.run({ argv: ['mktemp', '-d'] })).stdout.toString().trim();
    const script = 'mkdir "$1/$$"; ls "$1" | wc -l; sleep 0.5; rmdir "$1/$$"';
    const argv = ['sh', '-c', script, 'sh', folder] as const;
    const said = await Promise.all(Array.from({ length: 24 }, () => host.run({ argv })));
    await host.run({ argv: ['rmdir', folder] });
    const counts = said.map(({ stdout }) => Number(stdout.toString()));
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect(Math.max(...counts)).toBeLessThanOrEqual(8);
  });

  it('has one Job, bound to its node, which is gone when it is left', async () => {
    await using server = await startExecServer();
    {
      await using host = await open(server);
      expect(host.name).toBe('shop-1');
      const pod = { nodeName: 'shop-1', hostPID: true, tolerations: [{ operator: 'Exists' }] };
      expect([...server.jobs.values()]).toMatchObject([
        { spec: { backoffLimit: 0, activeDeadlineSeconds: 7_200, template: { spec: pod } } },
      ]);
    }
    expect(server.jobs.size).toBe(0);
  });

  it('whose image cannot be pulled says so at once, and leaves nothing', async () => {
    await using server = await startExecServer();
    server.pod = { kind: 'waiting', reason: 'ErrImagePull', message: 'no such host' };
    const opened = open(server);
    await expect(opened).rejects.toMatchObject({ code: 'Unavailable', message: /node-shell: no such host/ });
    expect(server.jobs.size).toBe(0);
  });

  it('whose pod failed says why', async () => {
    await using server = await startExecServer();
    server.pod = { kind: 'failed', reason: 'OutOfpods' };
    await expect(open(server)).rejects.toMatchObject({ code: 'Unavailable', message: /OutOfpods/ });
  });

  it('that nobody starts is given up', async () => {
    await using server = await startExecServer();
    server.pod = { kind: 'waiting', reason: 'ContainerCreating', message: '' };
    const startTimeoutMs = 30_001;
    const { clock, pass } = clockThatWaits(startTimeoutMs);
    // The time is up when the pod was looked at once.
    const sleep: Clock['sleep'] = (ms, signal) => {
      if (ms === lookEveryMs) pass();
      return clock.sleep(ms, signal);
    };
    await expect(open(server, { clock: { ...clock, sleep }, startTimeoutMs })).rejects.toMatchObject({
      code: 'DeadlineExceeded',
      message: /did not start on shop-1 in time: ContainerCreating$/,
      hint: /privileged/,
    });
    expect(server.jobs.size).toBe(0);
  });

  it('is dialled again while its kubelet is away, and the program is begun once', async () => {
    await using server = await startExecServer();
    await using host = await open(server);
    server.away = 2;
    expect((await host.run({ argv: ['echo', 'once'] })).stdout.toString()).toBe('once\n');
    expect(server.execs).toHaveLength(3);
  });

  it('is not dialled for ever', async () => {
    await using server = await startExecServer();
    await using host = await open(server, { dialTimeoutMs: 10 });
    server.away = Number.POSITIVE_INFINITY;
    const running = host.run({ argv: ['true'] });
    await expect(running).rejects.toMatchObject({ code: 'Unavailable', message: /refused/ });
  });

  it('is dialled again while its API server refuses', async () => {
    await using server = await startExecServer();
    await using host = await open(server);
    server.refusal = 503;
    const running = host.run({ argv: ['echo', 'there'] });
    await expect.poll(() => server.refused).toHaveLength(2);
    server.refusal = undefined;
    expect((await running).stdout.toString()).toBe('there\n');
  });

  it('is dialled again if its API server gives no answer in time', async () => {
    await using server = await startExecServer();
    const { clock, pass } = clockThatWaits(defaultTimeouts.firstByteMs);
    await using host = await open(server, { clock });
    server.mute = 1;
    const running = host.run({ argv: ['echo', 'there'] });
    await expect.poll(() => server.mute).toBe(0);
    pass();
    expect((await running).stdout.toString()).toBe('there\n');
  });

  it('whose Job cannot be removed is told, with what removes it', async () => {
    await using server = await startExecServer();
    const notes: string[] = [];
    const host = await open(server, { onNote: (text) => notes.push(text) });
    const [name] = server.jobs.keys();
    server.deletion = 403;
    await host[Symbol.asyncDispose]();
    expect(notes).toEqual([
      expect.stringContaining(`Job kube-system/${name} on shop-1 could not be removed`),
    ]);
    expect(notes[0]).toMatch(new RegExp(`not yours.*kubectl delete job --namespace kube-system ${name}$`));
  });

  it('whose Job somebody removed before is left with nothing to tell', async () => {
    await using server = await startExecServer();
    const host = await open(server);
    server.removeJobs();
    await host[Symbol.asyncDispose]();
  });

  it('that is away when it is left keeps its pod, which is told', async () => {
    await using server = await startExecServer();
    const notes: string[] = [];
    const { clock, pass } = clockThatWaits(20_000);
    const host = await open(server, { clock, onNote: (text) => notes.push(text) });
    const [name] = server.jobs.keys();
    server.keepsPods = true;
    const left = host[Symbol.asyncDispose]();
    await expect.poll(() => server.jobs.size).toBe(0);
    pass();
    await left;
    const seen = `kubectl get pods --namespace kube-system --selector batch.kubernetes.io/job-name=${name}`;
    expect(notes).toEqual([expect.stringContaining(seen)]);
  });

  it('that may not be entered says so at once', async () => {
    await using server = await startExecServer();
    await using host = await open(server);
    server.refusal = 403;
    await expect(host.run({ argv: ['true'] })).rejects.toMatchObject({
      code: 'Forbidden',
      hint: /pods\/exec/,
    });
  });

  it.each([
    ['in the middle of it', 0],
    ['and it has lasted longer than the way may be away', 10 * 60_000],
  ])('goes on with a program when its connection breaks %s', async (_when, lastedMs) => {
    await using server = await startExecServer();
    let aheadMs = 0;
    const monotonicMs: Clock['monotonicMs'] = () => systemClock.monotonicMs() + aheadMs;
    await using host = await open(server, { clock: { ...systemClock, monotonicMs } });
    const folder = (await host.run({ argv: ['mktemp', '-d'] })).stdout.toString().trim();
    const script = 'echo before; echo > "$1/begun"; until [ -e "$1/go" ]; do sleep 0.1; done; cat; exit 3';
    const running = host.run({ argv: ['sh', '-c', script, 'sh', folder], stdin: 'given\n' });
    const done = async (...argv: [string, ...string[]]): Promise<number> =>
      (await host.run({ argv })).exitCode;
    await expect.poll(() => done('rm', `${folder}/begun`)).toBe(0);
    aheadMs = lastedMs;
    server.away = 1;
    server.cut();
    expect(await done('touch', `${folder}/go`)).toBe(0);
    expect(await running).toEqual({
      exitCode: 3,
      stdout: Buffer.from('before\ngiven\n'),
      stderr: Buffer.alloc(0),
    });
    // Not begun a second time.
    expect(await done('rm', `${folder}/begun`)).toBe(1);
    expect(await done('rm', '-r', folder)).toBe(0);
  });

  it('that stays away in the middle of a program is told as lost', async () => {
    await using server = await startExecServer();
    await using host = await open(server, { dialTimeoutMs: 50 });
    const running = host.run({ argv: ['sleep', '1000'] }).catch((error: unknown) => error);
    await expect.poll(() => server.execs.length).toBe(1);
    server.away = Number.POSITIVE_INFINITY;
    server.cut();
    expect(await running).toMatchObject({ code: 'Unavailable', hint: /again/ });
  });

  it('forgets programs that ended', async () => {
    await using server = await startExecServer();
    await using host = await open(server);
    for (let at = 0; at < 3; at += 1) await host.run({ argv: ['true'] });
    expect((await host.run({ argv: ['ls', server.folder] })).stdout.toString()).toBe('4\n');
  });
});
