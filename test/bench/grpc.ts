import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ContainerConfig,
  ContainerMetadata,
  ImageSpec,
  LinuxPodSandboxConfig,
  PodSandboxConfig,
  RuntimeServiceDefinition,
  createClient,
  message,
} from '@selvedge/containerd-grpc-types';
import { createHttp2Transport } from '@selvedge/containerd-grpc-types/client';
import { ensureAssets, run } from '@selvedge/hack/setup';
import { silentLogger, systemClock } from '@selvedge/kit';
import { build } from 'esbuild';
import { ensureImages, imageRefs } from '../bed/images/index.ts';
import { type PrivateContainerd, createPrivateContainerd } from '../bed/node/private-containerd.ts';
import type { SubjectReport } from './grpc-subject.ts';
import { type BenchRow, type Measure, quantile, row } from './row.ts';

const rounds = 7;
const pods = 10;

/** How edge-lite starts: flags and environment that keep a small process small. */
const flags = [
  '--max-semi-space-size=1',
  '--no-opt',
  '--no-maglev',
  '--optimize-for-size',
  '--max-old-space-size=64',
  '--v8-pool-size=1',
];
const env = { MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '2', MALLOC_TRIM_THRESHOLD_: '65536' };

/** The programs under measurement, bundled as edge-lite is. `process.argv[2]` is the endpoint. */
const programs = {
  ours: `
    import { createHttp2Transport } from '@selvedge/containerd-grpc-types/client';
    import { silentLogger, systemClock } from '@selvedge/kit';
    import { runSubject } from './grpc-subject.ts';
    const deps = { clock: systemClock, random: Math.random, log: silentLogger };
    void runSubject(createHttp2Transport({ endpoint: process.argv[2] }, deps));`,
  peer: `
    import { createGrpcJsTransport } from '@selvedge/containerd-grpc-types/grpc-js';
    import { systemClock } from '@selvedge/kit';
    import { runSubject } from './grpc-subject.ts';
    void runSubject(createGrpcJsTransport({ endpoint: process.argv[2] }, { clock: systemClock }));`,
} as const;

async function bundle(program: string, outfile: string): Promise<void> {
  const stdin = { contents: program, resolveDir: import.meta.dirname, loader: 'ts' } as const;
  await build({
    stdin,
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    minify: true,
    logLevel: 'error',
  });
}

async function measure(program: string, endpoint: string): Promise<SubjectReport> {
  const { stdout } = await run({ argv: [process.execPath, ...flags, program, endpoint], env });
  return JSON.parse(stdout) as SubjectReport;
}

/** Pods without a network of their own: enough for the runtime to have something to list. */
async function startPods({ endpoint, cgroup }: PrivateContainerd): Promise<void> {
  const deps = { clock: systemClock, random: Math.random, log: silentLogger };
  const transport = createHttp2Transport({ endpoint }, deps);
  const runtime = createClient(RuntimeServiceDefinition, transport);
  const options = { signal: new AbortController().signal };
  for (let index = 0; index < pods; index += 1) {
    const name = `pod-${index}`;
    const sandboxConfig = message(PodSandboxConfig, {
      metadata: { name, uid: name, namespace: 'default', attempt: 0 },
      labels: { 'io.kubernetes.pod.name': name, 'io.kubernetes.pod.namespace': 'default' },
      linux: message(LinuxPodSandboxConfig, { cgroupParent: `${cgroup}/${name}` }),
    });
    const config = message(ContainerConfig, {
      metadata: message(ContainerMetadata, { name: 'main' }),
      image: message(ImageSpec, { image: imageRefs.busybox }),
      command: ['sleep', '3600'],
      labels: { 'io.kubernetes.container.name': 'main' },
    });
    const { podSandboxId } = await runtime.runPodSandbox(
      { config: sandboxConfig, runtimeHandler: '' },
      options,
    );
    const created = await runtime.createContainer({ podSandboxId, config, sandboxConfig }, options);
    await runtime.startContainer(created, options);
  }
  await transport.close();
}

async function withContainerd<T>(work: (containerd: PrivateContainerd) => Promise<T>): Promise<T> {
  const assets = await ensureAssets({ binaries: ['containerd-2.4', 'ctr-2.4', 'runc'] });
  const images = await ensureImages({ names: ['pause', 'busybox'] });
  const programPaths = { containerd: assets['containerd-2.4'], ctr: assets['ctr-2.4'], runc: assets.runc };
  const options = { version: '2.4', programs: programPaths, images } as const;
  const containerd = createPrivateContainerd(options, { clock: systemClock });
  try {
    await containerd.start(new AbortController().signal);
    await startPods(containerd);
    return await work(containerd);
  } finally {
    await containerd.stop();
  }
}

const measures: readonly (Pick<Measure, 'id' | 'unit' | 'goal'> & {
  of: (report: SubjectReport) => number;
})[] = [
  { id: 'grpc.memory.resident', unit: 'MB', of: (report) => report.idleResident },
  { id: 'grpc.memory.anonymous', unit: 'MB', of: (report) => report.idleAnonymous },
  { id: 'grpc.memory.anonymous.busy', unit: 'MB', of: (report) => report.busyAnonymous },
  { id: 'grpc.cpu.1000calls', unit: 'ms', of: (report) => report.cpuMs },
  { id: 'grpc.version.p50', unit: 'ms', of: (report) => quantile(report.version, 0.5) },
  { id: 'grpc.version.p99', unit: 'ms', of: (report) => quantile(report.version, 0.99) },
  { id: 'grpc.list.p50', unit: 'ms', of: (report) => quantile(report.list, 0.5) },
  { id: 'grpc.list.p99', unit: 'ms', of: (report) => quantile(report.list, 0.99) },
];

/** Our `node:http2` transport beside grpc-js, against containerd with ten pods; processes take turns. */
export async function grpcBench(): Promise<readonly BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-bench-grpc-'));
  const [ours, peer] = [join(folder, 'ours.cjs'), join(folder, 'peer.cjs')];
  const reports: { ours: SubjectReport; peer: SubjectReport }[] = [];
  try {
    await bundle(programs.ours, ours);
    await bundle(programs.peer, peer);
    await withContainerd(async ({ endpoint }) => {
      for (let round = 0; round < rounds; round += 1) {
        reports.push({ ours: await measure(ours, endpoint), peer: await measure(peer, endpoint) });
      }
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return measures.map(({ of, ...rest }) =>
    row({
      ...rest,
      ours: reports.map((report) => of(report.ours)),
      peer: { name: 'grpc-js 1.14.7', values: reports.map((report) => of(report.peer)) },
      goal: { kind: 'at-most-ratio', ratio: 1 },
    }),
  );
}
