import { readFile, readdir, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** libcni's own record of what it attached, outside of any folder that the runtime can be told to use. */
const cniResults = '/var/lib/cni/results';
/** Links that the kubelet makes for log collectors, wherever its own folder is. */
const containerLogs = '/var/log/containers';
/** Where containerd keeps the sockets of its shims, whatever its state folder is. */
const shimSockets = '/run/containerd/s/';

const entries = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

/** The sandboxes in libcni's records of networks whose names begin with `network`: `NETWORK-SANDBOX-INTERFACE`. */
export function sandboxesOf(network: string, records: readonly string[]): readonly string[] {
  return records
    .filter((record) => record.startsWith(network))
    .map((record) => record.split('-').at(-2))
    .filter((sandbox) => sandbox !== undefined);
}

/** Removes libcni's records of these networks, and those of the loopback interfaces of the same sandboxes. */
export async function removeCniResults(network: string): Promise<void> {
  const records = await entries(cniResults);
  const sandboxes = sandboxesOf(network, records);
  const loopbacks = sandboxes.map((sandbox) => `cni-loopback-${sandbox}-lo`);
  for (const record of records) {
    if (!record.startsWith(network) && !loopbacks.includes(record)) continue;
    await rm(join(cniResults, record), { force: true });
  }
}

/** Removes links in `/var/log/containers` that lead below `folder`. */
export async function removeContainerLogLinks(folder: string): Promise<void> {
  for (const name of await entries(containerLogs)) {
    const link = join(containerLogs, name);
    const target = await readlink(link).catch(() => '');
    if (target.startsWith(`${folder}/`)) await rm(link, { force: true });
  }
}

/** Removes the sockets of the shims that a containerd with this state folder has started. */
export async function removeShimSockets(runtimeState: string): Promise<void> {
  const tasks = join(runtimeState, 'io.containerd.runtime.v2.task');
  for (const namespace of await entries(tasks)) {
    for (const task of await entries(join(tasks, namespace))) {
      const address = await readFile(join(tasks, namespace, task, 'address'), 'utf8').catch(() => '');
      const socket = address.trim().replace(/^unix:\/\//, '');
      if (socket.startsWith(shimSockets)) await rm(socket, { force: true });
    }
  }
}
