import { createHttp2Transport } from '@selvedge/containerd-grpc-types/client';
import {
  ContainerConfig,
  ContainerMetadata,
  ImageSpec,
  PodSandboxConfig,
  PodSandboxMetadata,
  message,
} from '@selvedge/containerd-grpc-types';
import { silentLogger, systemClock } from '@selvedge/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Runtime, createRuntime, labels, readTail } from '../../packages/edge-lite/src/runtime/index.ts';
import { PodsWorld, busybox } from './pods-world.ts';

const { signal } = new AbortController();
const deps = { clock: systemClock, random: Math.random, log: silentLogger };
const uid = 'left-behind';
const identity = { [labels.podUid]: uid };

async function makeContainer(runtime: Runtime, logDirectory: string): Promise<string> {
  const sandboxConfig = message(PodSandboxConfig, {
    metadata: message(PodSandboxMetadata, { name: 'pod', namespace: 'default', uid }),
    labels: identity,
    logDirectory,
  });
  const sandboxId = await runtime.runSandbox({ config: sandboxConfig }, signal);
  const config = message(ContainerConfig, {
    metadata: message(ContainerMetadata, { name: 'main' }),
    image: message(ImageSpec, { image: busybox }),
    command: ['sleep', '1000'],
    labels: identity,
    logPath: 'main.log',
  });
  return runtime.createContainer({ sandboxId, config, sandboxConfig }, signal);
}

describe.each(['1.6', '2.4'] as const)('a task that the CRI of containerd %s does not know', (version) => {
  let world: PodsWorld;
  beforeAll(async () => {
    world = await PodsWorld.start(version);
  });
  afterAll(() => world.stop());

  it('goes with its container', async () => {
    const transport = createHttp2Transport({ endpoint: world.containerd.endpoint }, deps);
    const runtime = createRuntime({}, { ...deps, transport, readTail });
    try {
      const id = await makeContainer(runtime, world.place.folder);
      await world.containerd.ctr(['tasks', 'start', '--detach', '--null-io', id]);
      await runtime.removeContainer(id, signal);
      expect((await world.look()).flatMap(({ containers }) => containers)).toEqual([]);
    } finally {
      await transport.close();
    }
  });
});
