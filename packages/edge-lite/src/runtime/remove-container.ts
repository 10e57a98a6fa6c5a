import type { CallOptions } from '@selvedge/containerd-grpc-types';
import { hasCode } from '@selvedge/kit';

import type { Cri } from './cri.ts';
import { unlessGone } from './unless-gone.ts';

/** Where containerd keeps what the CRI made. Source: containerd, `K8sContainerdNamespace`. */
const metadata = { 'containerd-namespace': 'k8s.io' };
const sigkill = 9;

/** False if the runtime is not containerd. */
async function deleteTask({ tasks }: Cri, containerId: string, options: CallOptions): Promise<boolean> {
  const call = { ...options, metadata };
  try {
    await unlessGone(tasks.kill({ containerId, execId: '', signal: sigkill, all: true }, call));
    await unlessGone(tasks.wait({ containerId, execId: '' }, call));
    await unlessGone(tasks.delete({ containerId }, call));
    return true;
  } catch (error) {
    if (hasCode(error, 'Unsupported')) return false;
    throw error;
  }
}

/**
 * Removes a container; one that is gone already is removed. containerd, 1.6 as 2.4, can keep the task of a start whose caller went away in
 * the midst of it: the CRI says that the container has ended and refuses to remove it until containerd is restarted. Such
 * a task is deleted behind the CRI's back.
 */
export async function removeContainer(cri: Cri, containerId: string, options: CallOptions): Promise<void> {
  const remove = () => cri.runtime.removeContainer({ containerId }, options);
  try {
    await remove();
  } catch (error) {
    if (!hasCode(error, 'Conflict') || !(await deleteTask(cri, containerId, options))) throw error;
    await remove();
  }
}
