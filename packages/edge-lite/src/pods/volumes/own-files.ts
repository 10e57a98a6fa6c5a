import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Mount, message } from '@selvedge/containerd-grpc-types';

import { hostsFile } from '../spec/index.ts';
import type { PodFolder } from './layout.ts';
import type { MountsRequest } from './types.ts';

const hostsPath = '/etc/hosts';
/** Termination messages of earlier instances that are kept for each container. */
const keptMessages = 3;

export interface OwnFilesOptions {
  readonly clusterDomain: string;
  /** The node's own hosts file. */
  readonly hostsFile: string;
}

export interface OwnFilesRequest extends MountsRequest {
  readonly folder: PodFolder;
}

/** In place: running containers see the same file. */
async function writeIfChanged(path: string, text: string): Promise<void> {
  const held = await readFile(path, 'utf8').catch(() => undefined);
  if (held === text) return;
  await writeFile(path, text);
  await chmod(path, 0o644);
}

/** `/etc/hosts`, unless the container brings its own or the pod has no address yet. */
export async function hostsMount(ask: OwnFilesRequest, options: OwnFilesOptions): Promise<readonly Mount[]> {
  const { pod, podIPs, container, folder } = ask;
  const onHost = pod.spec?.hostNetwork === true;
  const own = container.volumeMounts?.some(({ mountPath }) => mountPath === hostsPath) === true;
  if (own || (podIPs.length === 0 && !onHost)) return [];
  const nodeHosts = onHost ? await readFile(options.hostsFile, 'utf8') : '';
  const { clusterDomain } = options;
  await writeIfChanged(folder.hostsFile, hostsFile({ pod, podIPs, clusterDomain, nodeHosts }));
  return [message(Mount, { containerPath: hostsPath, hostPath: folder.hostsFile })];
}

async function forgetMessages(folder: string): Promise<void> {
  const names = await readdir(folder);
  const files = await Promise.all(
    names.map(async (name) => ({ path: join(folder, name), atMs: (await stat(join(folder, name))).mtimeMs })),
  );
  const old = files.toSorted((a, b) => b.atMs - a.atMs).slice(keptMessages);
  for (const { path } of old) await rm(path, { force: true });
}

/** A new file for the termination message of the instance about to be made. */
export async function terminationMount({ container, folder }: OwnFilesRequest): Promise<readonly Mount[]> {
  const { terminationMessagePath: containerPath = '' } = container;
  if (containerPath === '') return [];
  const own = folder.container(container.name);
  await mkdir(own, { recursive: true, mode: 0o750 });
  await forgetMessages(own);
  const hostPath = join(own, randomBytes(4).toString('hex'));
  await (await open(hostPath, 'wx')).close();
  await chmod(hostPath, 0o666);
  return [message(Mount, { containerPath, hostPath })];
}
