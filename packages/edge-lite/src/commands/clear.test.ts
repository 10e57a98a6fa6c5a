import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ContainerRecord, PodObserved } from '../runtime/index.ts';
import { type ClearDeps, clearPods } from './clear.ts';

const { signal } = new AbortController();
const record: ContainerRecord = {
  id: 'c1',
  sandboxId: 's1',
  name: 'app',
  createdAtMs: 1,
  state: { kind: 'running', startedAtMs: 1 },
  image: 'i',
  imageRef: 'i',
  imageId: 'i',
  hash: '',
  restartCount: 0,
  logPath: '',
  user: undefined,
  graceSeconds: 3_600,
};
const pod: PodObserved = {
  uid: 'u1',
  namespace: 'default',
  name: 'p',
  sandboxes: [{ id: 's1', attempt: 0, createdAtMs: 1, state: 'ready', hostNetwork: false, ips: [] }],
  containers: [record, { ...record, id: 'c2', graceSeconds: undefined }],
};

/** A machine that writes down what is done to it. */
function machine(pods: readonly PodObserved[]): { readonly deps: ClearDeps; readonly done: string[] } {
  const done: string[] = [];
  const note = async (what: string): Promise<void> => void done.push(what);
  return {
    done,
    deps: {
      runtime: {
        observeAll: async () => pods,
        stopContainer: ({ id, graceSeconds }) => note(`stop ${id} in ${graceSeconds}`),
        removeContainer: (id) => note(`remove ${id}`),
        stopSandbox: (id) => note(`stop ${id}`),
        removeSandbox: (id) => note(`remove ${id}`),
      },
      logs: { uids: async () => ['u1', 'u0'], removePod: (uid) => note(`logs ${uid}`) },
      removeFolder: (path) => note(`folder ${path}`),
      removeCgroups: () => note('cgroups'),
    },
  };
}

describe('what pods have on a machine', () => {
  it('goes in the order in which it lets go of each other, the network configuration last', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'clear-'));
    const networkFile = join(folder, 'conflist');
    await writeFile(networkFile, '');
    const { deps, done } = machine([pod]);
    const cleared = await clearPods({ pods: '/pods', networkFile }, deps, signal);
    expect(cleared).toEqual({ pods: 1, containers: 2 });
    expect(done.slice(0, 4).toSorted()).toEqual(['remove c1', 'remove c2', 'stop c1 in 30', 'stop c2 in 2']);
    expect(done.slice(4)).toEqual(['stop s1', 'remove s1', 'folder /pods', 'logs u1', 'logs u0', 'cgroups']);
    await expect(access(networkFile)).rejects.toThrow('ENOENT');
    await rm(folder, { recursive: true });
  });

  it('that is gone is passed over', async () => {
    const { deps, done } = machine([]);
    await clearPods({ pods: '/pods', networkFile: undefined }, deps, signal);
    expect(done).toEqual(['folder /pods', 'logs u1', 'logs u0', 'cgroups']);
  });
});
