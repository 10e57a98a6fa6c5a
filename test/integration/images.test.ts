import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildManagerImage, bundleProgram } from '@selvedge/hack/programs';
import { type Assets, ensureAssets, run } from '@selvedge/hack/setup';
import { systemClock } from '@selvedge/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Image, ensureImages, imageRefs } from '../bed/images/index.ts';
import { type PrivateContainerd, createPrivateContainerd } from '../bed/node/private-containerd.ts';

type Programs = Assets<'containerd' | 'ctr' | 'runc' | 'containerd-2.4' | 'ctr-2.4'>;

const versions = ['1.6', '2.4'] as const;

/** Built as `pnpm build` does it. */
async function buildManager(folder: string): Promise<Image> {
  const [bundle, tar] = [join(folder, 'cloud-manager.cjs'), join(folder, 'cloud-manager.tar')];
  await bundleProgram('cloud-manager', bundle);
  return { ref: (await buildManagerImage(bundle, tar)).ref, tar };
}

describe.each(versions)('the images in containerd %s', (version) => {
  let runtime: PrivateContainerd;
  let folder: string;
  let ctr: string;
  let manager: Image;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'selvedge-images-'));
    const assets: Programs = await ensureAssets({
      binaries: ['containerd', 'ctr', 'runc', 'containerd-2.4', 'ctr-2.4'],
    });
    const old = { containerd: assets.containerd, ctr: assets.ctr };
    const recent = { containerd: assets['containerd-2.4'], ctr: assets['ctr-2.4'] };
    const programs = { ...(version === '1.6' ? old : recent), runc: assets.runc };
    ctr = programs.ctr;
    manager = await buildManager(folder);
    const images = [...(await ensureImages()), manager];
    runtime = createPrivateContainerd({ version, programs, images }, { clock: systemClock });
    await runtime.start(new AbortController().signal);
  });

  afterAll(async () => {
    await runtime.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Containers so far: what is left of one may go while the next one starts. */
  let containers = 0;

  /** Runs a container to its end and resolves to what it printed. */
  async function printed(ref: string, ...command: readonly string[]): Promise<string> {
    containers += 1;
    const name = `one-${containers}`;
    const client = [
      ctr,
      '--address',
      runtime.endpoint.slice('unix://'.length),
      '--namespace',
      'k8s.io',
    ] as const;
    // By way of ctr itself what a program prints is lost when it ends before ctr has begun to read.
    const log = join(folder, `${name}.log`);
    const options = ['--rm', '--log-uri', `file://${log}`, '--cgroup', `${runtime.cgroup}/${name}`];
    await run({ argv: [...client, 'run', ...options, ref, name, ...command] });
    return readFile(log, 'utf8');
  }

  it('are there under their names', async () => {
    const address = runtime.endpoint.slice('unix://'.length);
    const argv = [ctr, '--address', address, '--namespace', 'k8s.io', 'images', 'list', '--quiet'] as const;
    const names = (await run({ argv })).stdout.split('\n');
    expect(names).toEqual(expect.arrayContaining(Object.values(imageRefs)));
  });

  it('give busybox a shell, its applets and a /tmp for everybody', async () => {
    const line = 'true && stat -c %a /tmp && echo hello | md5sum && grep -c ^nobody: /etc/passwd';
    expect(await printed(imageRefs.busybox, 'sh', '-c', line)).toBe(
      '1777\nb1946ac92492d2347c6235b4d2611184  -\n1\n',
    );
  });

  it('give agnhost its servers', async () => {
    expect(await printed(imageRefs.agnhost, '/agnhost', '--help')).toContain('netexec');
    expect(await printed(imageRefs.agnhost, '/agnhost-2', '--version')).toContain('2.63.0');
  });

  it('give nginx a configuration that holds and the libraries that it needs', async () => {
    const line = 'nginx -t 2>&1 && cat /usr/share/nginx/html/index.html';
    const text = await printed(imageRefs.nginx, 'sh', '-c', line);
    expect(text).toContain('test is successful');
    expect(text).toContain('Welcome to nginx!');
  });

  it('give cloud-manager what it needs, as nobody in particular', async () => {
    const node = '/usr/local/bin/node';
    const program = '/usr/local/lib/cloud-manager.cjs';
    expect(await printed(manager.ref, node, program, '--version')).toMatch(/^cloud-manager \d+\.\d+\.\d+\n$/);
    const who = 'console.log(process.getuid(), process.getgid(), require("fs").readdirSync("/").join())';
    expect(await printed(manager.ref, node, '-e', who)).toMatch(/^65532 65532 .*usr/);
  });
});
