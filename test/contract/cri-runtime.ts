import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CallOptions,
  CgroupDriver,
  type Client,
  ContainerConfig,
  ContainerEventType,
  ContainerFilter,
  ContainerMetadata,
  ContainerState,
  type GrpcTransport,
  ImageServiceDefinition,
  ImageSpec,
  LinuxContainerConfig,
  LinuxContainerResources,
  LinuxPodSandboxConfig,
  PodSandboxConfig,
  PodSandboxState,
  RuntimeServiceDefinition,
  createClient,
  message,
} from '@selvedge/containerd-grpc-types';
import { SelvedgeError } from '@selvedge/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** A real runtime with the images `pause` and `busybox`. */
export interface CriWorld {
  readonly endpoint: string;
  /** What `runtimeVersion` must look like. */
  readonly version: RegExp;
  /** For `cgroup_parent`. */
  readonly cgroup: string;
  readonly busybox: string;
  /** From containerd 2.0 on: container events and the cgroup driver. */
  readonly modern: boolean;
  /** SIGKILLs the daemon. */
  kill(): void;
  /** Starts it again. */
  revive(): Promise<void>;
}

const decoder = new TextDecoder();
const codeOf = (error: unknown): unknown => (error instanceof SelvedgeError ? error.code : error);

/** What a transport does with a real runtime. `world` is asked once the tests run. */
export function criRuntimeContract(
  name: string,
  world: () => CriWorld,
  create: (endpoint: string) => GrpcTransport,
): void {
  describe(`${name}, with a real runtime`, () => {
    let transport: GrpcTransport;
    let runtime: Client<typeof RuntimeServiceDefinition>;
    let images: Client<typeof ImageServiceDefinition>;
    let logDirectory: string;
    const life = new AbortController();
    const soon: CallOptions = { signal: life.signal, deadlineMs: 20_000 };

    const sandboxConfig = (pod: string): PodSandboxConfig =>
      message(PodSandboxConfig, {
        metadata: { name: pod, uid: `uid-${pod}`, namespace: 'default', attempt: 0 },
        hostname: pod,
        logDirectory,
        labels: { pod, suite: name, näme: 'größe' },
        annotations: { long: 'x'.repeat(100_000) },
        linux: message(LinuxPodSandboxConfig, { cgroupParent: `${world().cgroup}/${pod}` }),
      });
    const containerConfig = (command: string[]): ContainerConfig =>
      message(ContainerConfig, {
        metadata: message(ContainerMetadata, { name: 'main', attempt: 3 }),
        image: message(ImageSpec, { image: world().busybox }),
        command,
        envs: [{ key: 'GREETING', value: Buffer.from('grüße') }],
        logPath: 'main.log',
        linux: message(LinuxContainerConfig, {
          resources: message(LinuxContainerResources, {
            memoryLimitInBytes: 64n * 1024n * 1024n,
            cpuShares: 2n,
          }),
        }),
      });
    const startPod = async (
      pod: string,
      command: string[],
    ): Promise<{ sandbox: string; container: string }> => {
      const config = sandboxConfig(pod);
      const { podSandboxId } = await runtime.runPodSandbox({ config, runtimeHandler: '' }, soon);
      const request = { podSandboxId, config: containerConfig(command), sandboxConfig: config };
      const { containerId } = await runtime.createContainer(request, soon);
      await runtime.startContainer({ containerId }, soon);
      return { sandbox: podSandboxId, container: containerId };
    };
    const statusOf = async (containerId: string) =>
      (await runtime.containerStatus({ containerId, verbose: false }, soon)).status ??
      expect.fail('no status');
    const removePod = async (podSandboxId: string): Promise<void> => {
      await runtime.stopPodSandbox({ podSandboxId }, soon);
      await runtime.removePodSandbox({ podSandboxId }, soon);
    };
    const answers = (): Promise<boolean> =>
      runtime.status({ verbose: false }, soon).then(
        () => true,
        () => false,
      );

    beforeAll(async () => {
      logDirectory = await mkdtemp(join(tmpdir(), 'selvedge-cri-logs-'));
      transport = create(world().endpoint);
      runtime = createClient(RuntimeServiceDefinition, transport);
      images = createClient(ImageServiceDefinition, transport);
    });
    afterAll(async () => {
      await transport.close();
      await rm(logDirectory, { recursive: true });
    });

    it('asks for the version and the condition of the runtime', async () => {
      const version = await runtime.version({ version: '' }, soon);
      expect(version).toMatchObject({ runtimeName: 'containerd', runtimeApiVersion: 'v1' });
      expect(version.runtimeVersion).toMatch(world().version);
      const { status } = await runtime.status({ verbose: false }, soon);
      expect(status?.conditions).toContainEqual({
        type: 'NetworkReady',
        status: true,
        reason: '',
        message: '',
      });
    });

    it('runs a pod from beginning to end', async () => {
      const { sandbox, container } = await startPod('whole-life', [
        'sh',
        '-c',
        'trap "exit 7" TERM; echo "$GREETING"; while true; do sleep 0.1; done',
      ]);
      const { status } = await runtime.podSandboxStatus({ podSandboxId: sandbox, verbose: false }, soon);
      expect(status).toMatchObject({
        state: PodSandboxState.SANDBOX_READY,
        metadata: { name: 'whole-life', uid: 'uid-whole-life', namespace: 'default', attempt: 0 },
        labels: { näme: 'größe' },
        annotations: { long: 'x'.repeat(100_000) },
      });
      expect(status?.network?.ip).toMatch(/^10\.88\.0\.\d+$/);
      const running = await statusOf(container);
      expect(running).toMatchObject({ state: ContainerState.CONTAINER_RUNNING, metadata: { attempt: 3 } });
      expect(Number(running.startedAt / 1_000_000n)).toBeGreaterThan(Date.now() - 60_000);

      const filter = message(ContainerFilter, { podSandboxId: sandbox });
      const { containers } = await runtime.listContainers({ filter }, soon);
      expect(containers.map(({ id }) => id)).toEqual([container]);
      const exec = {
        containerId: container,
        cmd: ['sh', '-c', 'echo out; echo err >&2; exit 5'],
        timeout: 5n,
      };
      const done = await runtime.execSync(exec, soon);
      expect([decoder.decode(done.stdout), decoder.decode(done.stderr), done.exitCode]).toEqual([
        'out\n',
        'err\n',
        5,
      ]);
      const { stats } = await runtime.containerStats({ containerId: container }, soon);
      expect(stats?.memory?.workingSetBytes?.value).toBeGreaterThan(0n);

      await runtime.stopContainer({ containerId: container, timeout: 10n }, soon);
      expect(await statusOf(container)).toMatchObject({
        state: ContainerState.CONTAINER_EXITED,
        exitCode: 7,
      });
      expect(await readFile(join(logDirectory, 'main.log'), 'utf8')).toMatch(/ stdout F grüße\n$/);
      await runtime.removeContainer({ containerId: container }, soon);
      await removePod(sandbox);
      // What is gone is removed.
      await runtime.removeContainer({ containerId: container }, soon);
      await runtime.removePodSandbox({ podSandboxId: sandbox }, soon);
      const { items } = await runtime.listPodSandbox({}, soon);
      expect(items.map(({ id }) => id)).not.toContain(sandbox);
    });

    it('tells an unknown container by its status code', async () => {
      await expect(statusOf('nobody')).rejects.toMatchObject({
        code: 'NotFound',
        details: { grpcStatus: 'NOT_FOUND' },
      });
    });

    it('knows the images that are there and those that are not', async () => {
      const { images: all } = await images.listImages({}, soon);
      expect(all.flatMap(({ repoTags }) => repoTags)).toContain(world().busybox);
      const asked = { image: message(ImageSpec, { image: 'registry.invalid/none:1' }), verbose: false };
      expect((await images.imageStatus(asked, soon)).image).toBeUndefined();
      const { imageFilesystems } = await images.imageFsInfo({}, soon);
      expect(imageFilesystems[0]?.fsId?.mountpoint).toMatch(/^\//);
    });

    it('gives up at the deadline while the runtime works on', async () => {
      const { sandbox, container } = await startPod('deadline', ['sleep', '3600']);
      const exec = { containerId: container, cmd: ['sleep', '30'], timeout: 0n };
      const options = { signal: life.signal, deadlineMs: 300 };
      await expect(runtime.execSync(exec, options)).rejects.toMatchObject({ code: 'DeadlineExceeded' });
      expect(await statusOf(container)).toMatchObject({ state: ContainerState.CONTAINER_RUNNING });
      await removePod(sandbox);
    });

    it('hears of what happens to containers, where the runtime tells', async () => {
      const leave = new AbortController();
      const events = runtime.getContainerEvents({}, { signal: leave.signal })[Symbol.asyncIterator]();
      const first = events.next();
      first.catch(() => undefined);
      const { sandbox, container } = await startPod('events', ['true']);
      const hear = async (): Promise<ContainerEventType[]> => {
        const heard: ContainerEventType[] = [];
        for (let event = await first; event.done !== true; event = await events.next()) {
          if (event.value.containerId !== container) continue;
          heard.push(event.value.containerEventType);
          if (event.value.containerEventType === ContainerEventType.CONTAINER_STOPPED_EVENT) break;
        }
        return heard;
      };
      const { CONTAINER_CREATED_EVENT, CONTAINER_STARTED_EVENT, CONTAINER_STOPPED_EVENT } =
        ContainerEventType;
      const told = [CONTAINER_CREATED_EVENT, CONTAINER_STARTED_EVENT, CONTAINER_STOPPED_EVENT];
      expect(await hear().catch(codeOf)).toEqual(world().modern ? told : 'Unsupported');
      leave.abort();
      // What is killed at the very moment at which it ends by itself is an error of containerd, which kubelets try again.
      const stateOf = async (): Promise<ContainerState> => (await statusOf(container)).state;
      await expect.poll(stateOf).toBe(ContainerState.CONTAINER_EXITED);
      await removePod(sandbox);
    });

    it('asks for the cgroup driver, where the runtime tells', async () => {
      const answer = await runtime.runtimeConfig({}, soon).catch(codeOf);
      const told = { linux: { cgroupDriver: CgroupDriver.CGROUPFS } };
      expect(answer).toEqual(world().modern ? told : 'Unsupported');
    });

    it('reaches the runtime again after it was killed, and finds the container running', async () => {
      const { sandbox, container } = await startPod('survivor', ['sleep', '3600']);
      const { startedAt } = await statusOf(container);
      const exec = runtime.execSync({ containerId: container, cmd: ['sleep', '60'], timeout: 0n }, soon);
      const failed = Promise.allSettled([exec]);
      world().kill();
      expect(await failed).toMatchObject([{ status: 'rejected', reason: { code: 'Unavailable' } }]);
      await expect(statusOf(container)).rejects.toMatchObject({ code: 'Unavailable' });
      await world().revive();
      await expect.poll(answers).toBe(true);
      expect(await statusOf(container)).toMatchObject({ state: ContainerState.CONTAINER_RUNNING, startedAt });
      await removePod(sandbox);
    });
  });
}
