import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { podOf } from '../plan/testing.ts';
import { createPodLogs } from './logs.ts';

describe('the logs of pods', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'pod-logs-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  const logsIn = (folder: string) =>
    createPodLogs({ podLogs: join(folder, 'pods'), containerLogs: join(folder, 'containers') });
  const pod = podOf({ initContainers: [{ name: 'init' }] });

  it('have a folder for each container and a link where collectors look', async () => {
    const logs = logsIn(root);
    await logs.prepare(pod);
    const path = join(root, 'pods', 'shop_web_uid-web', 'main', '0.log');
    await writeFile(path, 'text');
    await writeFile(`${path}.20260102-150405.gz`, 'rotated');
    const of = { pod, container: 'main', id: 'abc', path };
    await logs.link(of);
    await logs.link(of);
    expect(await readdir(join(root, 'pods', 'shop_web_uid-web'))).toEqual(['init', 'main']);
    expect(await readlink(join(root, 'containers', 'web_shop_main-abc.log'))).toBe(path);
    await logs.removeContainer(of);
    expect(await readdir(join(root, 'containers'))).toEqual([]);
    expect(await readdir(join(root, 'pods', 'shop_web_uid-web', 'main'))).toEqual([]);
  });

  it('go with their pod, and those of others stay', async () => {
    const logs = logsIn(root);
    const other = podOf({}, { name: 'web-2', uid: 'uid-other' });
    for (const one of [pod, other]) {
      await logs.prepare(one);
      await logs.link({ pod: one, container: 'main', id: '1', path: '/nowhere' });
    }
    expect(new Set(await logs.uids())).toEqual(new Set(['uid-web', 'uid-other']));
    await logs.removePod('uid-web');
    expect(await logs.uids()).toEqual(['uid-other']);
    expect(await readdir(join(root, 'containers'))).toEqual(['web-2_shop_main-1.log']);
  });

  it('may not be there at all', async () => {
    const logs = logsIn(join(root, 'none'));
    expect(await logs.uids()).toEqual([]);
    await logs.removePod('uid-web');
  });
});
