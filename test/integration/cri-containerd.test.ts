import { createHttp2Transport } from '@selvedge/containerd-grpc-types/client';
import { createGrpcJsTransport } from '@selvedge/containerd-grpc-types/grpc-js';
import { ensureAssets } from '@selvedge/hack/setup';
import { silentLogger, systemClock } from '@selvedge/kit';
import { afterAll, beforeAll, describe } from 'vitest';
import { ensureImages, imageRefs } from '../bed/images/index.ts';
import { type PrivateContainerd, createPrivateContainerd } from '../bed/node/private-containerd.ts';
import { type CriWorld, criRuntimeContract } from '../contract/cri-runtime.ts';

const binaries = ['containerd', 'ctr', 'runc', 'containerd-2.4', 'ctr-2.4'] as const;

describe.each([
  { version: '1.6', programs: ['containerd', 'ctr'], answers: /^1\.6\./, modern: false },
  { version: '2.4', programs: ['containerd-2.4', 'ctr-2.4'], answers: /^v?2\.4\./, modern: true },
] as const)('containerd $version', ({ version, programs, answers, modern }) => {
  let containerd: PrivateContainerd;
  const world = (): CriWorld => ({
    endpoint: containerd.endpoint,
    version: answers,
    cgroup: containerd.cgroup,
    busybox: imageRefs.busybox,
    modern,
    kill: () => {
      containerd.kill();
    },
    revive: () => containerd.revive(),
  });

  beforeAll(async () => {
    const assets = await ensureAssets({ binaries });
    const images = await ensureImages({ names: ['pause', 'busybox'] });
    const paths = { containerd: assets[programs[0]], ctr: assets[programs[1]], runc: assets.runc };
    containerd = createPrivateContainerd({ version, programs: paths, images }, { clock: systemClock });
    await containerd.start(new AbortController().signal);
  });
  afterAll(() => containerd.stop());

  criRuntimeContract('over grpc-js', world, (endpoint) =>
    createGrpcJsTransport({ endpoint }, { clock: systemClock }),
  );
  criRuntimeContract('over node:http2', world, (endpoint) =>
    createHttp2Transport({ endpoint }, { clock: systemClock, random: Math.random, log: silentLogger }),
  );
});
