import { PodSandboxConfig, message } from '@selvedge/containerd-grpc-types';
import { SelvedgeError } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import type { Container, Secret } from '@selvedge/kube/types';
import { describe, expect, it } from 'vitest';

import type { ImageRecord, PullAuth } from '../../runtime/index.ts';
import { podOf } from '../plan/testing.ts';
import { type ImageResult, createImages } from './ensure.ts';

const { signal } = new AbortController();
const record: ImageRecord = {
  id: 'sha256:1',
  sizeBytes: 42,
  digests: [],
  tags: [],
  uid: undefined,
  username: '',
};

/** A runtime with images, or a registry that fails until it is told otherwise. */
function world(present: readonly string[] = []) {
  const clock = createManualClock();
  const there = new Set(present);
  const pulls: (PullAuth | undefined)[] = [];
  const said: string[] = [];
  let refuse: (auth: PullAuth | undefined) => string | undefined = () => undefined;
  const images = createImages(
    { maxParallelPulls: 1, maxBackoffs: 10 },
    {
      clock,
      runtime: {
        imageStatus: async (ref) => (there.has(ref) ? record : undefined),
        pullImage: async ({ ref, auth }) => {
          pulls.push(auth);
          const why = refuse(auth);
          if (why !== undefined) throw new SelvedgeError(why, { code: 'NotFound' });
          there.add(ref);
          return ref;
        },
      },
    },
  );
  const ensure = (container: Partial<Container>, secrets: readonly Secret[] = []): Promise<ImageResult> =>
    images.ensure(
      {
        pod: podOf(),
        container: { name: 'main', ...container },
        secrets,
        sandboxConfig: message(PodSandboxConfig, {}),
        say: ({ reason, message: text }) => void said.push(`${reason}: ${text}`),
      },
      signal,
    );
  return {
    clock,
    pulls,
    said,
    ensure,
    refuse: (how: typeof refuse) => void (refuse = how),
    forget: () => images.forget('uid-web'),
  };
}

const pullSecret: Secret = {
  metadata: {},
  type: 'kubernetes.io/dockerconfigjson',
  data: {
    '.dockerconfigjson': Buffer.from(
      JSON.stringify({
        auths: {
          'registry.example/team': { username: 'team', password: 'p' },
          'registry.example': { username: 'all', password: 'p' },
        },
      }),
    ).toString('base64'),
  },
};

describe('an image', () => {
  it('that is there is not pulled', async () => {
    const { ensure, pulls, said } = world(['app:v1']);
    expect(await ensure({ image: 'app:v1' })).toMatchObject({ kind: 'present', ref: 'sha256:1' });
    expect(pulls).toEqual([]);
    expect(said).toEqual([
      'Pulled: Container image "app:v1" already present on machine and can be accessed by the pod',
    ]);
  });

  it('that is not there is pulled', async () => {
    const { ensure, said } = world();
    expect(await ensure({ image: 'app:v1' })).toMatchObject({ kind: 'present' });
    expect(said).toEqual([
      'Pulling: Pulling image "app:v1"',
      'Pulled: Successfully pulled image "app:v1" in 0ms (0ms including waiting). Image size: 42 bytes.',
    ]);
  });

  it('is pulled though it is there if its policy, or its tag, says so', async () => {
    const { ensure, pulls } = world(['app:v1', 'app:latest']);
    await ensure({ image: 'app:v1', imagePullPolicy: 'Always' });
    await ensure({ image: 'app' });
    expect(pulls).toHaveLength(2);
  });

  it('is never pulled if its policy says so', async () => {
    const { ensure, pulls, said } = world();
    const result = await ensure({ image: 'app:v1', imagePullPolicy: 'Never' });
    expect(result).toMatchObject({ kind: 'missing', reason: 'ErrImageNeverPull' });
    expect([pulls, said[0]]).toEqual([
      [],
      'ErrImageNeverPull: Container image "app:v1" is not present with pull policy of Never',
    ]);
  });

  it('whose name is none is not asked for', async () => {
    const { ensure, said } = world();
    expect(await ensure({ image: 'No Image' })).toMatchObject({
      kind: 'missing',
      reason: 'InvalidImageName',
    });
    expect(said[0]).toMatch(/^InspectFailed: Failed to apply default image tag "No Image": couldn't parse/);
  });

  it('is pulled with each of the credentials that fit until one serves', async () => {
    const { ensure, pulls, refuse } = world();
    refuse((auth) => (auth?.username === 'all' ? undefined : 'denied'));
    const result = await ensure({ image: 'registry.example/team/app:v1' }, [pullSecret]);
    expect(result.kind).toBe('present');
    expect(pulls.map((auth) => auth?.username)).toEqual(['team', 'all']);
  });
});

describe('an image that cannot be pulled', () => {
  it('is shown, then left alone for ten seconds, doubled up to five minutes', async () => {
    const { clock, ensure, refuse, pulls } = world();
    refuse(() => 'no such image');
    const delays: number[] = [];
    for (let attempt = 0; attempt < 7; attempt += 1) {
      const failed = await ensure({ image: 'app:v1' });
      expect(failed).toMatchObject({ reason: 'ErrImagePull', message: 'no such image' });
      const waiting = await ensure({ image: 'app:v1' });
      expect(waiting).toMatchObject({
        reason: 'ImagePullBackOff',
        message: 'Back-off pulling image "app:v1": ErrImagePull: no such image',
      });
      const untilMs = waiting.kind === 'missing' ? waiting.retryAtMs : 0;
      delays.push((untilMs - clock.monotonicMs()) / 1000);
      await clock.advance(untilMs - clock.monotonicMs());
    }
    expect(delays).toEqual([10, 20, 40, 80, 160, 300, 300]);
    expect(pulls).toHaveLength(7);
  });

  it('is tried afresh after a long time, after a success, and for a pod that is new', async () => {
    const { clock, ensure, refuse, forget } = world();
    const waitsFor = async (): Promise<number> => {
      const result = await ensure({ image: 'app:v1', imagePullPolicy: 'Always' });
      const again = await ensure({ image: 'app:v1', imagePullPolicy: 'Always' });
      return result.kind === 'missing' && again.kind === 'missing'
        ? (again.retryAtMs - clock.monotonicMs()) / 1000
        : 0;
    };
    refuse(() => 'no');
    expect(await waitsFor()).toBe(10);
    await clock.advance(600_001);
    expect(await waitsFor()).toBe(10);
    forget();
    expect(await waitsFor()).toBe(10);
    await clock.advance(10_000);
    expect(await waitsFor()).toBe(20);
    await clock.advance(20_000);
    refuse(() => undefined);
    expect(await waitsFor()).toBe(0);
    refuse(() => 'no');
    expect(await waitsFor()).toBe(10);
  });

  it("keeps the runtime's own name for what went wrong", async () => {
    const { ensure, refuse } = world();
    refuse(() => 'RegistryUnavailable: connection refused');
    expect(await ensure({ image: 'app:v1' })).toMatchObject({ reason: 'RegistryUnavailable' });
  });
});
