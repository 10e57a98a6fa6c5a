import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';
import { type Mishap, type TestSite, createTestSite } from '../convert/testing-site.ts';
import type { CloudUndoPlan } from '../cloud/index.ts';
import { listTraces } from '../cluster/index.ts';
import type { TestCluster } from '../cluster/testing-cluster.ts';
import type { Host } from '../host/index.ts';
import { encodeRecord } from '../journal/codec.ts';
import { places } from '../places.ts';
import { withSession } from '../session/index.ts';
import { applySteps, createExecutors } from '../steps/index.ts';
import { createHostFiles } from '../files/index.ts';
import { journalPlace, openJournal } from '../journal/index.ts';
import { createTestDisk } from '../steps/testing-disk.ts';
import { describeRevert } from './describe.ts';
import { lookAtMachine } from './machine.ts';
import { isToDo, revertPlan } from './plan.ts';
import { revertNode } from './revert-node.ts';
import { revertWith } from './revert.ts';

const lost: Mishap = { at: 0, when: 'before', what: 'loss' };
const silent = { note: () => undefined, task: () => Promise.reject(new Error('none')) };
const named = { nodes: [{ name: 'till-1', address: '10.0.0.1' }] };

/** A journal as a command begins it for a node. */
async function begin(site: TestSite, command: string, nodeName: string): Promise<void> {
  const content = `nodeName: ${nodeName}\n`;
  const steps = [{ kind: 'file', path: places.config, mode: 0o600, content }] as const;
  await mkdir(site.folder);
  await site.writeJournal(
    encodeRecord({ kind: 'begun', run: '1', command, version: '1', at: '', steps }).line,
  );
}

describe('a machine that cannot be entered', () => {
  it.each([
    ['that is named', named],
    ['that is named without the cloud', { ...named, offline: true }],
    ['of a node that has no traces, when all are taken back', {}],
  ])('%s is a failure, and the cloud’s part is left', async (_which, options) => {
    await using site = await createTestSite();
    const result = await site.revert(options, lost);
    const reason = 'the machine is lost';
    expect(result).toMatchObject({
      outcome: 'partly',
      nodes: [{ outcome: 'failed', reason }],
      cloud: 'left',
    });
    expect(describeRevert(result)).not.toContain('nothing');
  });

  it('is one that is another node: both are told', async () => {
    await using site = await createTestSite();
    await begin(site, 'selvedge convert', 'till-2');
    const journal = await site.readJournal();
    const reason = 'the machine at that address is node till-2, not till-1';
    expect(await site.revert(named)).toMatchObject({ outcome: 'partly', nodes: [{ reason }] });
    expect(await site.readJournal()).toBe(journal);
  });
});

describe('a Job', () => {
  const egress = '--egress-selector-config-file=/etc/kubernetes/egress-selector.yaml';
  const taken = { outcome: 'declined' };
  const refused = { code: 'Unsupported', hint: expect.stringContaining('--transport ssh') };
  it.each([
    [
      'is refused where the API server reaches it by the tunnel alone',
      { flag: egress, viaKubelet: true },
      refused,
    ],
    ['is good where the API server goes another way', { flag: '--v=2', viaKubelet: true }, taken],
    ['is not needed over SSH', { flag: egress, viaKubelet: false }, taken],
  ])('to revert a node %s', async (_what, { flag, viaKubelet }, expected) => {
    await using site = await createTestSite();
    await site.convert();
    const before = await site.disk.look();
    const containers = [{ name: 'kube-apiserver', command: ['kube-apiserver', flag] }];
    const apiServer = { metadata: { name: 'kube-apiserver-cloud-1' }, spec: { containers } };
    const cluster: TestCluster = {
      ...site.cluster,
      listAll: async (resource, options) =>
        options.labelSelector === 'component=kube-apiserver'
          ? { items: [apiServer as never], resourceVersion: '1' }
          : await site.cluster.listAll(resource, options),
    };
    const plan: CloudUndoPlan = {
      options: { keepData: false },
      adopted: [],
      isDone: true,
      parts: [],
      warnings: [],
    };
    const revert = revertWith(named, {
      progress: { task: (_title, work) => work(silent), note: () => undefined },
      agree: () => Promise.resolve(false),
      clock: systemClock,
      random: seededRandom(1),
      signal: new AbortController().signal,
      version: '1.0.0',
      hosts: { open: () => Promise.resolve(site.disk.host), viaKubelet },
      cluster,
      cloud: { plan: () => Promise.resolve(plan), undo: () => Promise.resolve([]) },
      folder: site.folder,
    });
    expect(await revert.catch((error: unknown) => error)).toMatchObject(expected);
    expect(await site.disk.look()).toEqual(before);
  });
});

it('a file that stays as somebody made it since is told', async () => {
  await using site = await createTestSite();
  await site.convert();
  const folder = join(site.disk.folder, 'etc');
  await writeFile(join(folder, 'kubelet.conf'), 'server: cloud-2\n');
  const [backup = ''] = (await readdir(folder)).filter((name) => name.startsWith('.kubelet.conf.selvedge-'));
  await rm(join(folder, backup));
  const result = await site.revert();
  const notes = [expect.stringContaining('etc/kubelet.conf')];
  expect(result).toMatchObject({ outcome: 'done', nodes: [{ outcome: 'reverted', notes }] });
  expect(describeRevert(result)).toMatch(/note {2}.*kubelet.conf/);
});

describe('a journal that does not tell all', () => {
  const cut = (text: string, lines: number): string => `${text.split('\n').slice(0, lines).join('\n')}\n`;
  it.each([
    ['is empty', 'is missing', (site: TestSite) => site.writeJournal('')],
    ['is gone', 'is missing', (site: TestSite) => rm(site.folder, { recursive: true })],
    [
      'lost its end',
      'is missing its last lines',
      async (site: TestSite) => site.writeJournal(cut((await site.readJournal()) ?? '', 11)),
    ],
  ])(
    'since it %s: nothing is taken back, nothing is forgotten, and what is known is told',
    async (_how, why, lose) => {
      await using site = await createTestSite();
      await site.convert();
      await lose(site);
      const [before, journal] = [await site.disk.look(), await site.readJournal()];
      const reason = expect.stringContaining(why);
      const known = expect.arrayContaining([expect.stringContaining('etc/')]);
      for (const options of [named, {}, { ...named, offline: true }]) {
        const node = { outcome: 'damaged', reason, known };
        expect(await site.revert(options)).toMatchObject({ outcome: 'partly', nodes: [node], cloud: 'left' });
      }
      expect([await site.disk.look(), await site.readJournal()]).toEqual([before, journal]);
      const { signal } = new AbortController();
      expect([...(await listTraces(site.cluster, signal))]).toEqual(['till-1']);
      expect(await site.isConverted()).toBe(true);
    },
  );

  it('is none that another run writes while it is looked at', async () => {
    await using site = await createTestSite();
    await site.convert();
    const { host } = site.disk;
    let reads = 0;
    const run: Host['run'] = async (command, signal) => {
      const result = await host.run(command, signal);
      reads += command.argv[0] === 'cat' ? 1 : 0;
      const isEarly = command.argv[0] === 'cat' && reads === 1;
      return isEarly ? { ...result, stdout: Buffer.from(cut(result.stdout.toString(), 11)) } : result;
    };
    const hosts = { open: async () => ({ ...host, run }) };
    const options = { hosts, isOffline: false, folder: site.folder };
    const found = await lookAtMachine(
      { name: 'till-1', addresses: [] },
      options,
      new AbortController().signal,
    );
    expect(found).toMatchObject({ kind: 'touched' });
  });

  it('since it lost its end stops a conversion that goes on, and its way back', async () => {
    await using site = await createTestSite();
    await site.convert();
    await site.writeJournal(cut((await site.readJournal()) ?? '', 11));
    const before = await site.disk.look();
    const reason = expect.stringContaining('etc/kubelet.conf');
    expect(await site.convert()).toMatchObject({ nodes: [{ outcome: 'failed', reason }] });
    expect([await site.disk.look(), await site.isConverted()]).toEqual([before, true]);
  });

  it('stays when the machine is left', async () => {
    await using site = await createTestSite();
    await site.convert();
    await site.writeJournal('');
    const hosts = { open: async () => within(site.disk.host, '/etc', join(site.disk.folder, 'etc')) };
    const { signal } = new AbortController();
    const deps = { hosts, clock: systemClock, random: seededRandom(1), folder: site.folder, signal };
    const entering = { machine: { name: 'till-1', addresses: [] }, command: 'selvedge convert' };
    const left = withSession(entering, { ...deps, progress: silent }, () => Promise.resolve());
    await expect(left).rejects.toMatchObject({ code: 'Corrupt', message: /kubelet.conf/ });
    expect(await readdir(site.folder)).toContain('before.json');
  });
});

it('a machine is left once: who enters meanwhile keeps a journal', async () => {
  await using site = await createTestSite();
  await mkdir(site.folder);
  const { host } = site.disk;
  let isTaken = false;
  const run: Host['run'] = async (command, signal) => {
    const result = await host.run(command, signal);
    // Another one comes the moment the place is free.
    if (!isTaken && command.argv.some((word) => word.includes('rm -rf'))) {
      isTaken = true;
      await mkdir(site.folder);
      await site.writeJournal('of another');
    }
    return result;
  };
  const hosts = { open: async () => ({ ...host, run }) };
  const { signal } = new AbortController();
  const deps = { hosts, clock: systemClock, random: seededRandom(1), folder: site.folder, signal };
  const node = { name: 'till-1', addresses: ['10.0.0.1'] };
  const found = await lookAtMachine(node, { ...deps, isOffline: true }, signal);
  const one = { node, found, hasTraces: false };
  await revertNode(one, { ...deps, cluster: undefined, timeoutMs: 1 }, silent);
  expect(await site.readJournal()).toBe('of another');
});

describe('a node that was joined', () => {
  it.each([
    ['its journal', {}],
    ['its Node', { 'node.selvedge.io/version': '1.0.0' }],
  ])('is left to who made it, as %s says', async (_what, labels) => {
    await using site = await createTestSite(labels);
    await begin(site, 'selvedge join', 'till-1');
    const result = await site.revert(named);
    expect(result).toMatchObject({ outcome: 'unchanged', nodes: [{ outcome: 'unchanged' }], cloud: 'left' });
    expect(describeRevert(result)).toContain('undo that with `selvedge reset`');
    await expect(site.revert()).rejects.toMatchObject({ code: 'Conflict', message: /till-1/ });
  });
});

/** A machine that has another folder for one of its own. */
function within(host: Host, path: string, folder: string): Host {
  const run: Host['run'] = ({ argv: [program, ...args], ...command }, signal) =>
    host.run({ ...command, argv: [program, ...args.map((one) => one.replaceAll(path, folder))] }, signal);
  return { name: host.name, run, [Symbol.asyncDispose]: () => Promise.resolve() };
}

it('takes back, without the cloud, what is beside an API server', async () => {
  await using disk = await createTestDisk();
  const { signal } = new AbortController();
  const host = within(disk.host, '/var/lib', disk.folder);
  const path = join(disk.folder, 'manifest.yaml');
  await writeFile(path, 'before\n');
  const files = createHostFiles(host);
  const { folder, journal: at } = journalPlace(join(disk.folder, 'selvedge-installer-egress'));
  await mkdir(folder);
  const journal = await openJournal(at, files, signal);
  const steps = [{ kind: 'file', path, mode: 0o644, content: 'after\n' }] as const;
  const command = 'selvedge egress of cloud-1';
  await journal.write({ kind: 'begun', run: '1', command, version: '1', at: '', steps }, signal);
  const sources = (): Promise<Uint8Array> => Promise.reject(new Error('nothing is sent'));
  const executors = createExecutors({ host, files, run: '1', clock: systemClock, sources });
  await applySteps({ journal, executors, onEvent: () => undefined }, signal);
  expect(await readFile(path, 'utf8')).toBe('after\n');

  const node = { name: 'cloud-1', addresses: ['10.0.0.1'] };
  const hosts = { open: () => Promise.resolve(host) };
  const another = { ...node, name: 'cloud-9' };
  expect(await lookAtMachine(another, { hosts, isOffline: true }, signal)).toEqual({
    kind: 'closed',
    message: `the machine at 10.0.0.1 is another one: it has the journal of ${command}`,
    hint: expect.stringContaining('--address cloud-9=ADDRESS'),
  });
  const found = await lookAtMachine(node, { hosts, isOffline: true }, signal);
  const one = { node, found, hasTraces: false };
  expect([found, isToDo(one)]).toEqual([{ kind: 'beside', phases: ['egress'] }, true]);
  const { parts } = revertPlan([one], { parts: [], warnings: [] });
  expect(parts).toMatchObject([
    { where: 'node cloud-1', changes: [{ what: expect.stringContaining('egress') }] },
  ]);
  const deps = {
    hosts,
    clock: systemClock,
    random: seededRandom(1),
    cluster: undefined,
    timeoutMs: 1,
    signal,
  };
  expect(await revertNode(one, deps, silent)).toMatchObject({ outcome: 'reverted', verified: false });
  expect([await readFile(path, 'utf8'), await readdir(disk.folder)]).toEqual(['before\n', ['manifest.yaml']]);
});

it('what stays on control planes that were removed is part of the result', () => {
  const left = ['cp-3 is not in the cluster any more'];
  const told = describeRevert({ outcome: 'done', nodes: [], cloud: 'reverted', left });
  expect(told).toMatch(/reverted\.\n {2}note {2}cp-3 is not/);
});
