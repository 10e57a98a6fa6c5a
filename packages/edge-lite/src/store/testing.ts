import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store, type StoreOptions } from './store.ts';

/** A store in a folder of its own, gone when disposed. */
export interface TemporaryStore extends AsyncDisposable {
  readonly folder: string;
  readonly store: Store;
  /** Closes the store and opens the same file again, as a restart does. */
  reopen(): Promise<Store>;
}

export async function createTemporaryStore(options: Partial<StoreOptions> = {}): Promise<TemporaryStore> {
  const folder = await mkdtemp(join(tmpdir(), 'store-'));
  const open = (): Promise<Store> =>
    openStore({
      path: join(folder, 'state.db'),
      sealKeyPath: join(folder, 'pki', 'seal.key'),
      driver: 'node',
      ...options,
    });
  let store = await open();
  return {
    folder,
    get store() {
      return store;
    },
    async reopen() {
      store.close();
      store = await open();
      return store;
    },
    async [Symbol.asyncDispose]() {
      store.close();
      await rm(folder, { recursive: true });
    },
  };
}
