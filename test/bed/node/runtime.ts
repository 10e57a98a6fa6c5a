import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Clock, SelvedgeError } from '@selvedge/kit';
import type { BedAssets } from '../assets.ts';
import type { ContainerdVersion, NodeDescription } from '../description.ts';
import type { NodeHost } from '../host/host.ts';
import { imageRefs } from '../images/index.ts';
import { waitFor } from '../wait.ts';
import { renderContainerdConfig } from './containerd.ts';

/** Debian's containernetworking-plugins. */
const cniBinaries = '/usr/lib/cni';

export interface RuntimeOptions {
  readonly node: NodeDescription;
  readonly assets: BedAssets;
  /** Image archives. */
  readonly images: readonly string[];
}

export interface RuntimeDeps {
  readonly clock: Clock;
  readonly host: Pick<NodeHost, 'folders' | 'ensureDaemon' | 'writeFile' | 'readIfThere' | 'exec'>;
}

function programs(assets: BedAssets, version: ContainerdVersion): { containerd: string; ctr: string } {
  if (version === '1.6') return { containerd: assets.containerd, ctr: assets.ctr };
  const [containerd, ctr] = [assets['containerd-2.4'], assets['ctr-2.4']];
  if (containerd !== undefined && ctr !== undefined) return { containerd, ctr };
  throw new SelvedgeError('the programs of containerd 2.4 were not asked for', { code: 'Internal' });
}

/** What an archive is known by once it was imported. */
async function identityOf(archive: string): Promise<string> {
  const { size, mtimeMs } = await stat(archive);
  return `${archive} ${size} ${mtimeMs}`;
}

/** Imports what the runtime's disk does not hold yet. */
async function importImages(
  images: readonly string[],
  { host, ctr }: { readonly host: RuntimeDeps['host']; readonly ctr: string },
  signal?: AbortSignal,
): Promise<void> {
  const { folders } = host;
  const record = join(folders.runtimeRoot, 'imported');
  const imported = new Set((await host.readIfThere(record))?.split('\n'));
  for (const archive of images) {
    const identity = await identityOf(archive);
    if (imported.has(identity)) continue;
    const where = ['--address', folders.runtimeSocket, '--namespace', 'k8s.io'];
    await host.exec([ctr, ...where, 'images', 'import', archive], signal);
    imported.add(identity);
    await host.writeFile(record, [...imported].join('\n'));
  }
}

/** A running containerd of the node's version that holds the images. Idempotent. */
export async function ensureContainerd(
  options: RuntimeOptions,
  { clock, host }: RuntimeDeps,
  signal?: AbortSignal,
): Promise<void> {
  const { node, assets } = options;
  const { folders } = host;
  const { containerd, ctr } = programs(assets, node.containerd);
  const config = renderContainerdConfig({
    version: node.containerd,
    root: folders.runtimeRoot,
    state: folders.runtimeState,
    socket: folders.runtimeSocket,
    runc: assets.runc,
    cniBinaries,
    cniConfiguration: folders.cni,
    registries: folders.registries,
    pauseImage: imageRefs.pause,
  });
  await host.exec(['mkdir', '-p', folders.registries], signal);
  await host.writeFile(folders.runtimeConfig, config);
  const path = [dirname(containerd), dirname(assets.runc), '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  await host.ensureDaemon({
    name: 'containerd',
    argv: [containerd, '--config', folders.runtimeConfig],
    env: { PATH: path.join(':') },
    config,
  });
  await waitFor({ what: `containerd of ${node.name}`, timeoutMs: 30_000, signal }, clock, async (attempt) => {
    await host.exec([ctr, '--address', folders.runtimeSocket, 'version'], attempt);
    return true;
  });
  await importImages(options.images, { host, ctr }, signal);
}
