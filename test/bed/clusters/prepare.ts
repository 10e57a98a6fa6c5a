import type { TarEntry } from '@selvedge/hack/image';
import { waitFor } from '../wait.ts';
import type { BedContext } from '../context.ts';
import type { ClusterMachine } from './types.ts';

/** Waits until a machine's containerd answers. */
export async function untilRuntime(
  { clock }: Pick<BedContext, 'clock'>,
  { name, machine, runtimeSocket }: ClusterMachine,
  signal?: AbortSignal,
): Promise<void> {
  await waitFor({ what: `containerd of ${name}`, signal }, clock, async (attempt) => {
    await machine.exec(['ctr', '--address', runtimeSocket, 'version'], { signal: attempt });
    return true;
  });
}

/** Gives a machine's containerd these archives, which it reads where the host has them. */
export async function importImages(
  { machine, runtimeSocket }: ClusterMachine,
  archives: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const where = ['--address', runtimeSocket, '--namespace', 'k8s.io'];
  for (const archive of archives) {
    await machine.exec(['ctr', ...where, 'images', 'import', archive], { signal });
  }
}

/** Writes files, among them units. */
export async function placeFiles(
  { machine }: ClusterMachine,
  entries: readonly TarEntry[],
  signal?: AbortSignal,
): Promise<void> {
  await machine.writeFiles(entries, signal);
  await machine.exec(['systemctl', 'daemon-reload'], { signal });
}
