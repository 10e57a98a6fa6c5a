import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureAssets, run, runUnchecked } from '@selvedge/hack/setup';
import { systemClock } from '@selvedge/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureImages } from '../bed/images/index.ts';
import { openPki } from '../bed/pki/pki.ts';
import { createDaemons } from '../bed/process/daemon.ts';
import {
  type RegistryOptions,
  ensureRegistry,
  pullManifest,
  pushImage,
  registryHost,
} from '../bed/registry/index.ts';
import { runName } from '../bed/run/run.ts';

/** A namespace at the other end of a veth pair, as the cloud of a bed is. */
const namespace = `${runName()}.registry`;
const link = 'svregistry0';
const [near, far] = ['169.254.77.1', '169.254.77.2'];
const credentials = { user: 'puller', password: 'secret' };

async function addNamespace(): Promise<void> {
  await removeNamespace();
  await run({ argv: ['ip', 'netns', 'add', namespace] });
  await run({
    argv: ['ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace],
  });
  await run({ argv: ['ip', 'address', 'add', `${near}/30`, 'dev', link] });
  await run({ argv: ['ip', 'link', 'set', link, 'up'] });
  await run({ argv: ['ip', '-n', namespace, 'address', 'add', `${far}/30`, 'dev', 'eth0'] });
  await run({ argv: ['ip', '-n', namespace, 'link', 'set', 'eth0', 'up'] });
}

async function removeNamespace(): Promise<void> {
  await runUnchecked({ argv: ['ip', 'netns', 'delete', namespace] });
  await runUnchecked({ argv: ['ip', 'link', 'delete', link] });
}

describe('the registry', () => {
  let folder: string;
  let options: RegistryOptions;
  let stop: () => Promise<void> = async () => undefined;
  let busybox: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'selvedge-registry-'));
    await addNamespace();
    const assets = await ensureAssets({ binaries: ['docker-registry'] });
    const [image] = await ensureImages({ names: ['busybox'] });
    busybox = image?.tar ?? '';
    const pki = await openPki(join(folder, 'pki'), systemClock);
    options = {
      binary: assets['docker-registry'],
      folder: join(folder, 'registry'),
      address: far,
      tls: await pki.ensure('registry', { commonName: 'registry', usages: ['server'], addresses: [far] }),
      ca: pki.ca.keyPair.certificate,
      credentials,
      daemon: { name: 'registry', namespace, mark: 'registry-test' },
    };
    const folders = { runFolder: join(folder, 'run'), logFolder: join(folder, 'log') };
    const daemons = createDaemons(folders, { clock: systemClock });
    stop = () => daemons.stop('registry');
    await ensureRegistry(options, { clock: systemClock, daemons });
    // A second call finds it running and keeps it.
    const before = await daemons.running('registry');
    await ensureRegistry(options, { clock: systemClock, daemons });
    expect(await daemons.running('registry')).toEqual(before);
  });

  afterAll(async () => {
    await stop();
    await removeNamespace();
    await rm(folder, { recursive: true, force: true });
  });

  it('takes an image and gives its manifest to those who know the password', async () => {
    const image = { reference: `${registryHost(options)}/library/busybox:1`, ca: options.ca, credentials };
    await pushImage(busybox, image);
    expect(JSON.parse(await pullManifest(image))).toMatchObject({ schemaVersion: 2, layers: [{}] });
  });

  it('refuses those who do not', async () => {
    const image = { reference: `${registryHost(options)}/library/busybox:1`, ca: options.ca };
    await expect(pullManifest(image)).rejects.toThrow(/authentication required|unauthorized/);
    const wrong = { ...image, credentials: { ...credentials, password: 'guess' } };
    await expect(pullManifest(wrong)).rejects.toThrow(/authentication required|unauthorized/);
    await expect(pushImage(busybox, image)).rejects.toThrow(/authentication required|unauthorized/);
  });

  it('is not trusted without its CA', async () => {
    const other = await openPki(join(folder, 'other-pki'), systemClock);
    const image = { reference: `${registryHost(options)}/library/busybox:1`, credentials };
    const pulled = pullManifest({ ...image, ca: other.ca.keyPair.certificate });
    await expect(pulled).rejects.toThrow(/certificate/);
  });
});
