import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';
import { type Mishap, type TestSite, createTestSite } from '../convert/testing-site.ts';
import type { Host } from '../host/index.ts';
import { encodeRecord } from '../journal/codec.ts';
import { places } from '../places.ts';
import { applySteps, createExecutors } from '../steps/index.ts';
import { createHostFiles } from '../files/index.ts';
import { journalPlace, openJournal } from '../journal/index.ts';
import { createTestDisk } from '../steps/testing-disk.ts';
import { describeRevert } from './describe.ts';
import { lookAtMachine } from './machine.ts';
import { isToDo, revertPlan } from './plan.ts';
import { revertNode } from './revert-node.ts';

const lost: Mishap = { at: 0, when: 'before', what: 'loss' };
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
    const because = 'the machine is lost';
    expect(result).toMatchObject({
      outcome: 'partly',
      nodes: [{ outcome: 'failed', because }],
      cloud: 'left',
    });
    expect(describeRevert(result)).not.toContain('nothing');
  });

  it('is one that is another node: both are told', async () => {
    await using site = await createTestSite();
    await begin(site, 'selvedge convert', 'till-2');
    const journal = await site.readJournal();
    const because = 'the machine at that address is node till-2, not till-1';
    expect(await site.revert(named)).toMatchObject({ outcome: 'partly', nodes: [{ because }] });
    expect(await site.readJournal()).toBe(journal);
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

/** A control-plane machine that has a folder for `/var/lib`. */
function within(host: Host, folder: string): Host {
  const run: Host['run'] = ({ argv: [program, ...args], ...command }, signal) =>
    host.run(
      { ...command, argv: [program, ...args.map((one) => one.replaceAll('/var/lib', folder))] },
      signal,
    );
  return { name: host.name, run, [Symbol.asyncDispose]: () => Promise.resolve() };
}

it('takes back, without the cloud, what is beside an API server', async () => {
  await using disk = await createTestDisk();
  const { signal } = new AbortController();
  const host = within(disk.host, disk.folder);
  const path = join(disk.folder, 'manifest.yaml');
  await writeFile(path, 'before\n');
  const files = createHostFiles(host);
  const { folder, journal: at } = journalPlace(join(disk.folder, 'selvedge-installer-egress'));
  await mkdir(folder);
  const journal = await openJournal(at, files, signal);
  const steps = [{ kind: 'file', path, mode: 0o644, content: 'after\n' }] as const;
  await journal.write({ kind: 'begun', run: '1', command: 'egress', version: '1', at: '', steps }, signal);
  const sources = (): Promise<Uint8Array> => Promise.reject(new Error('nothing is sent'));
  const executors = createExecutors({ host, files, run: '1', clock: systemClock, sources });
  await applySteps({ journal, executors, onEvent: () => undefined }, signal);
  expect(await readFile(path, 'utf8')).toBe('after\n');

  const node = { name: 'cloud-1', addresses: ['10.0.0.1'] };
  const hosts = { open: () => Promise.resolve(host) };
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
  const progress = { note: () => undefined, task: () => Promise.reject(new Error('none')) };
  expect(await revertNode(one, deps, progress)).toMatchObject({ outcome: 'reverted', verified: false });
  expect([await readFile(path, 'utf8'), await readdir(disk.folder)]).toEqual(['before\n', ['manifest.yaml']]);
});
