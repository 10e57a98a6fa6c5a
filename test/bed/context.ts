import { join } from 'node:path';
import { type Setup, ensureAssets, processSetup } from '@selvedge/hack/setup';
import { type Clock, systemClock } from '@selvedge/kit';
import { type BedAssets, bedBinaries, containerd24, controlPlane135 } from './assets.ts';
import type { BedDescription } from './description.ts';
import { ensureImages } from './images/index.ts';
import { type Kubectl, createKubectl } from './kubectl.ts';
import { type BedNames, bedNames } from './names.ts';
import { type Pki, openPki } from './pki/pki.ts';
import { type Daemons, createDaemons } from './process/daemon.ts';
import { type BedFolders, bedFolders, bedsRoot } from './state/folders.ts';
import { type BedStore, createBedStore } from './state/store.ts';

/** What beds are made with. Everything has a default that a program of the checkout wants. */
export interface BedDeps {
  readonly clock: Clock;
  readonly setup: Setup;
  /** The folder of all beds. */
  readonly root: string;
  /** What runs edge-lite: a Node and the program's first file. */
  readonly edgeLite: readonly [string, ...string[]];
  /** The same of cloud-manager. */
  readonly cloudManager: readonly [string, ...string[]];
}

const mainOf = (program: string): string =>
  join(import.meta.dirname, '../../packages', program, 'src/main.ts');

/** The composition of a program that runs in this checkout, from the environment of this process. */
export function processBedDeps(): BedDeps {
  return {
    clock: systemClock,
    setup: processSetup(),
    root: bedsRoot(process.env),
    edgeLite: [process.execPath, mainOf('edge-lite')],
    cloudManager: [process.execPath, mainOf('cloud-manager')],
  };
}

/** One bed and what is needed to work on it. */
export interface BedContext extends BedDeps {
  readonly name: string;
  readonly names: BedNames;
  readonly folders: BedFolders;
  readonly store: BedStore;
  readonly daemons: Daemons;
  /** The programs that this description asks for, built if need be. */
  assets(bed: BedDescription, signal?: AbortSignal): Promise<BedAssets>;
  /** The archives of all images. */
  images(signal?: AbortSignal): Promise<readonly string[]>;
  pki(): Promise<Pki>;
  readonly kubectl: Kubectl;
}

function wanted(bed: BedDescription): readonly (keyof BedAssets)[] {
  const older = bed.controlPlane.version === '1.35' ? controlPlane135 : [];
  const newer = bed.nodes.some((node) => node.containerd === '2.4') ? containerd24 : [];
  return [...bedBinaries, ...older, ...newer];
}

export function createContext(name: string, deps: BedDeps): BedContext {
  const { clock, setup, root } = deps;
  const folders = bedFolders(root, name);
  return {
    ...deps,
    name,
    names: bedNames(name),
    folders,
    store: createBedStore({ root }),
    daemons: createDaemons(
      { runFolder: folders.run, logFolder: folders.logs, temporaryFolder: folders.temporary },
      { clock },
    ),
    assets: async (bed, signal) =>
      (await ensureAssets({ binaries: wanted(bed), signal }, setup)) as BedAssets,
    images: async (signal) => (await ensureImages({ signal }, setup)).map(({ tar }) => tar),
    pki: () => openPki(folders.pki, clock),
    async kubectl(args, options) {
      const { kubectl } = await setup.assets({ binaries: ['kubectl'] as const });
      return createKubectl({ program: kubectl, kubeconfig: folders.kubeconfig })(args, options);
    },
  };
}
