import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { missingPackages, parseInstalled, recordedPackages } from './debian.ts';

it('counts a package as there only when it is installed', () => {
  const output = 'installed gcc\nconfig-files skopeo\nnot-installed nginx\ninstalled iproute2\n';
  expect([...parseInstalled(output)]).toEqual(['gcc', 'iproute2']);
});

it('finds which packages are missing', async () => {
  expect(await missingPackages(['dpkg', 'no-such-package-at-all'])).toEqual(['no-such-package-at-all']);
});

it('lists what was installed, each package once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-debian-'));
  expect(await recordedPackages(folder)).toEqual([]);
  await writeFile(join(folder, 'debian-packages'), 'skopeo\ngcc\nskopeo\n');
  expect(await recordedPackages(folder)).toEqual(['gcc', 'skopeo']);
  await rm(folder, { recursive: true });
});
