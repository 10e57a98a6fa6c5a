import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import { type ManualClock, createManualClock } from '@selvedge/kit/testing';
import type { Pod } from '@selvedge/kube/types';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Answer } from '@selvedge/kit/serve';
import type { ContainerState, PodObserved } from '../../runtime/index.ts';
import { logRoutes } from './routes.ts';

const pod: Pod = {
  metadata: { namespace: 'shop', name: 'till', uid: 'u1' },
  spec: { containers: [{ name: 'main' }, { name: 'gone' }] },
  status: {
    containerStatuses: ['main', 'gone'].map((name) => ({
      name,
      image: '',
      imageID: '',
      ready: true,
      restartCount: 0,
      containerID: `containerd://id-of-${name}`,
      state: { running: {} },
    })),
  },
};
const entry = (text: string): string => `2026-01-02T03:04:05Z stdout F ${text}\n`;

describe('the log of a container', () => {
  let folder = '';
  let path = '';
  let clock: ManualClock;
  let state: ContainerState;
  let failure: SelvedgeError | undefined;
  let changed: (uid: string) => void = () => undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'log-routes-'));
    path = join(folder, '0.log');
    await writeFile(path, entry('one'));
    clock = createManualClock();
    state = { kind: 'running', startedAtMs: 0 };
    failure = undefined;
  });
  afterEach(() => rm(folder, { recursive: true }));

  const observed = (): PodObserved => ({
    uid: 'u1',
    namespace: 'shop',
    name: 'till',
    sandboxes: [],
    containers: [
      {
        id: 'id-of-main',
        sandboxId: 's1',
        name: 'main',
        createdAtMs: 0,
        state,
        image: '',
        imageRef: '',
        imageId: '',
        hash: '',
        restartCount: 0,
        logPath: path,
        user: undefined,
        graceSeconds: undefined,
      },
    ],
  });

  const get = async (name: string, query = '', podName = 'till'): Promise<Answer> => {
    const [route] = logRoutes({
      source: { list: () => [pod] as never },
      runtime: {
        async observe() {
          if (failure !== undefined) throw failure;
          return observed();
        },
        onPod(listener) {
          changed = listener;
          return { [Symbol.dispose]: () => undefined };
        },
      },
      clock,
    });
    if (route?.kind !== 'answer') throw new Error('no route');
    return route.handle({
      method: 'GET',
      path: '',
      params: { namespace: 'shop', pod: podName, container: name },
      query: new URLSearchParams(query),
      headers: {},
      user: { username: 'jane', groups: [] },
      signal: new AbortController().signal,
    });
  };
  const text = async ({ body }: Answer): Promise<string> => {
    const pieces: Uint8Array[] = [];
    for await (const piece of body as AsyncIterable<Uint8Array>) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  };

  it('is its file', async () => {
    expect(await text(await get('main'))).toBe('one\n');
  });

  it('is refused in the words of the kubelet', async () => {
    await expect(get('main', '', 'none')).rejects.toThrow('pod "none" does not exist');
    await expect(get('other')).rejects.toThrow('container "other" not found in pod "till"');
    await expect(get('gone')).rejects.toThrow(
      'unable to retrieve container logs for containerd://id-of-gone',
    );
    await expect(get('main', 'tailLines=-1')).rejects.toThrow('tailLines');
  });

  it('is followed while the runtime does not answer, until it says that the container has ended', async () => {
    const read = text(await get('main', 'follow=true'));
    await clock.asleep();
    failure = new SelvedgeError('away', { code: 'Unavailable' });
    changed('another');
    changed('u1');
    await clock.advance(60_000);
    await clock.asleep();
    await appendFile(path, entry('two'));
    failure = undefined;
    state = { kind: 'exited', startedAtMs: 0, finishedAtMs: 1, exitCode: 0, reason: '', message: '' };
    changed('u1');
    const over = new AbortController();
    const whole = read.finally(() => over.abort());
    while (!over.signal.aborted) await clock.advance(100);
    expect(await whole).toBe('one\ntwo\n');
  });
});
