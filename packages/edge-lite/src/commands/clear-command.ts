import { createHttp2Transport } from '@selvedge/containerd-grpc-types/client';
import { type Random, SelvedgeError, silentLogger, systemClock } from '@selvedge/kit';
import { loadConfig, paths } from '../config/index.ts';
import { originating } from '../exit-code.ts';
import { createMachineHost } from '../machine-host.ts';
import {
  clearPodCgroups,
  createMounter,
  createPodLogs,
  readMachine,
  removeCgroup,
  removePodsFolder,
} from '../pods/index.ts';
import { createRuntime, readTail } from '../runtime/index.ts';
import { type Cleared, clearPods } from './clear.ts';

const maxConcurrentCalls = 2_000;

/** `edge-lite clear`: see `clearPods`. Throws `Conflict` if the pods of this machine are not its own. */
export async function clearCommand(
  { configFile, random }: { readonly configFile: string; readonly random: Random },
  signal: AbortSignal,
): Promise<Cleared> {
  const config = await originating('config', () => loadConfig(configFile));
  const { pods } = config.modules;
  if (pods === undefined) {
    throw new SelvedgeError(`${configFile} has no modules.pods: the pods of this machine are not its own`, {
      code: 'Conflict',
      hint: 'a kubelet runs them; see kubeadm reset, or what made it a node',
    });
  }
  const deps = { clock: systemClock, random, log: silentLogger };
  const transport = createHttp2Transport({ endpoint: config.runtime.endpoint, maxConcurrentCalls }, deps);
  const places = paths(config.root);
  const { cgroupDriver: driver, cgroupRoot: root } = config.runtime;
  const version = (await readMachine()).cgroupVersion;
  const { exec } = createMachineHost();
  const mounter = createMounter();
  try {
    return await clearPods(
      { pods: places.pods, networkFile: pods.network?.file },
      {
        runtime: createRuntime({}, { ...deps, transport, readTail }),
        logs: createPodLogs(places),
        removeFolder: (path, within) => removePodsFolder(path, mounter, within),
        removeCgroups: (within) => clearPodCgroups({ driver, root, version }, { removeCgroup, exec }, within),
      },
      signal,
    );
  } finally {
    await transport.close();
  }
}
