import { describe, expect, it } from 'vitest';
import type { Progress } from '../command/index.ts';
import type { Host } from '../host/index.ts';
import { hastyClock } from '../steps/testing-clock.ts';
import type { LiteStatus, TunnelLink } from './edge-lite-state.ts';
import { untilReached, untilReady } from './wait-ready.ts';

type Hub = LiteStatus['hub'];
const server = 'cloud.example.org:443';
const linked = (
  kind: 'connecting' | 'up' | 'waiting',
  error?: string,
): { readonly links: readonly TunnelLink[] } => ({
  links: [{ server, state: { kind, ...(error === undefined ? {} : { error }) } }],
});

/** A machine whose edge-lite says these things one after the other, the last one for ever. `failed`: it has exited. */
function machineOf(said: readonly (Hub | 'failed')[], node?: LiteStatus['node']) {
  const clock = hastyClock();
  const notes: string[] = [];
  const progress: Progress = {
    task: (_title, work) => work(progress),
    note: (text) => void notes.push(text),
  };
  let at = 0;
  let looks = 0;
  const answer = (stdout: string, exitCode = 0) => ({
    exitCode,
    stdout: Buffer.from(stdout),
    stderr: Buffer.alloc(0),
  });
  const host: Host = {
    name: 'till-5',
    async run({ argv }) {
      const now = said[Math.min(at, said.length - 1)];
      if (argv[0] === 'journalctl') return answer('{"level":"error","text":"it ended"}\n');
      if (argv[0] === 'systemctl') {
        return answer(now === 'failed' ? 'ActiveState=failed\nExecMainStatus=1\n' : 'ActiveState=active\n');
      }
      looks += 1;
      at += 1;
      return now === 'failed' ? answer('', 1) : answer(JSON.stringify({ hub: now, node }));
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  const { signal } = new AbortController();
  return { clock, notes, waiting: { host, node: 'till-5', clock, progress, signal }, looks: () => looks };
}

describe('a machine that joined', () => {
  it.each<[string, Hub]>([
    ['without a tunnel', { kubeletApi: { listens: false } }],
    ['with a session and a kubelet API', { tunnel: linked('up'), kubeletApi: { listens: true } }],
    [
      'with a session to one of two servers, which pass on to each other',
      {
        tunnel: { links: [...linked('waiting').links, ...linked('up').links] },
        kubeletApi: { listens: true },
      },
    ],
  ])('%s is waited for no more', async (_what, hub) => {
    const machine = machineOf([hub]);
    await untilReached(machine.waiting);
    expect([machine.looks(), machine.notes]).toEqual([1, []]);
  });

  it('is waited for until the cloud reaches it', async () => {
    const listens = { kubeletApi: { listens: true } };
    const machine = machineOf([
      { tunnel: { links: [] }, ...listens },
      { tunnel: linked('connecting'), ...listens },
      { tunnel: linked('up'), kubeletApi: { listens: false } },
      { tunnel: linked('up'), ...listens },
    ]);
    await untilReached(machine.waiting);
    expect(machine.notes).toEqual([
      'waiting for a tunnel session',
      `waiting for a tunnel session with ${server} (connecting)`,
      'waiting for the serving certificate of its kubelet API, which cloud-manager approves',
    ]);
  });

  it('is told what keeps it from its tunnel after a minute', async () => {
    const machine = machineOf([{ tunnel: linked('waiting', 'connect ECONNREFUSED 203.0.113.9:443') }]);
    await expect(untilReached(machine.waiting)).rejects.toMatchObject({
      code: 'DeadlineExceeded',
      message: `timed out after 60 s waiting for the tunnel of till-5: a tunnel session with ${server} (connect ECONNREFUSED 203.0.113.9:443)`,
      hint: expect.stringContaining('It does not connect'),
    });
    expect(machine.clock.monotonicMs()).toBeGreaterThanOrEqual(60_000);
  });

  it('is not waited for once edge-lite has exited', async () => {
    const machine = machineOf([{ tunnel: linked('connecting') }, 'failed']);
    await expect(untilReached(machine.waiting)).rejects.toMatchObject({
      code: 'Unavailable',
      cause: { message: 'edge-lite exited', cause: { message: 'it ended' } },
    });
    expect(machine.looks()).toBe(2);
  });

  it('is told what it lacks to be Ready, and what edge-lite said last', async () => {
    const node = { labels: {}, podCIDRs: [], conditions: [] };
    const machine = machineOf([{ connectivity: { kind: 'online' } }], node);
    await expect(untilReady(machine.waiting, 30_000)).rejects.toMatchObject({
      code: 'DeadlineExceeded',
      message: 'till-5 did not become Ready',
      cause: {
        message: 'timed out after 30 s waiting for Node till-5: a podCIDR from the cloud',
        cause: { message: 'it ended' },
      },
      hint: expect.stringContaining('run the same command again'),
    });
  });
});
