import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { encodeRecord } from '../journal/codec.ts';
import { isVanilla, losingConversions, stoppingConversions, stoppingReverts } from './testing-rounds.ts';
import { createTestSite } from './testing-site.ts';

vi.setConfig({ testTimeout: 300_000 });

const when = ['before', 'after'] as const;
/** Each try is a few hundred programs. The ways begin apart, so that they meet other commands. */
const stride = 41;

describe('a conversion', () => {
  it('makes an edge node of a node, and is taken back', async () => {
    await using site = await createTestSite();
    const before = await site.disk.look();
    const result = await site.convert();
    expect(result).toMatchObject({ outcome: 'done', nodes: [{ node: 'till-1', outcome: 'converted' }] });
    expect([await site.isConverted(), site.cluster.proxies('till-1')]).toEqual([true, 1]);
    const back = await site.revert();
    expect(back).toMatchObject({ outcome: 'done', nodes: [{ outcome: 'reverted', verified: true }] });
    expect(site.cluster.proxies('till-1')).toBe(2);
    await isVanilla(site, before);
  });

  it('has nothing to do the second time, nor has its revert', async () => {
    await using site = await createTestSite();
    await site.convert();
    expect(await site.convert()).toMatchObject({ outcome: 'unchanged', nodes: [{ outcome: 'unchanged' }] });
    await site.revert();
    expect(await site.revert()).toMatchObject({ outcome: 'unchanged', nodes: [{ outcome: 'unchanged' }] });
    expect(site.plans.map(({ title }) => title)).toEqual(['convert 1 node', 'revert 1 node']);
  });

  it('tells before its first change that the way through a kubelet is gone with a hub that does not work', async () => {
    await using site = await createTestSite();
    const onAgree = (): Promise<never> => Promise.reject(new Error('enough'));
    for (const viaKubelet of [true, false])
      await site.convert({}, { onAgree, viaKubelet }).catch(() => undefined);
    const told = expect.stringMatching(/through their kubelets.*`selvedge revert` over SSH/);
    expect(site.plans.map(({ warnings }) => warnings)).toEqual([[told], []]);
  });

  it('puts a node back that does not become Ready', async () => {
    await using site = await createTestSite();
    const before = await site.disk.look();
    site.cluster.isBroken = true;
    const result = await site.convert({ timeoutMs: 3_000 });
    // What it waited for last is said after it, once there is such.
    const reason = expect.stringMatching(/^till-1 took longer than 3000 ms/);
    const hint = expect.stringContaining('--timeout');
    expect(result).toMatchObject({ outcome: 'partly', nodes: [{ outcome: 'rolled-back', reason, hint }] });
    await isVanilla(site, before);
  });

  it('puts a node back whose kubelet does not read what was changed: the cloud sees all that makes an edge node', async () => {
    await using site = await createTestSite();
    const before = await site.disk.look();
    await site.ignoreEdits();
    const result = await site.convert({ timeoutMs: 5_000 });
    expect(result).toMatchObject({ outcome: 'partly', nodes: [{ outcome: 'rolled-back' }] });
    await isVanilla(site, before);
  });

  it('refuses a node whose kubelet was set up again since, until what is left of the first one is taken back', async () => {
    await using site = await createTestSite();
    await site.convert();
    await writeFile(join(site.disk.folder, 'etc/kubelet.conf'), 'server: cloud-2\n');
    const [backup = ''] = (await readdir(join(site.disk.folder, 'etc'))).filter((name) =>
      name.startsWith('.kubelet.conf.'),
    );
    await rm(join(site.disk.folder, 'etc', backup));
    expect(await site.convert({ onFailure: 'continue' })).toMatchObject({
      outcome: 'partly',
      nodes: [{ outcome: 'refused', hint: expect.stringContaining('selvedge revert --nodes till-1') }],
    });
    expect(await site.revert()).toMatchObject({ outcome: 'done' });
    expect(await site.convert()).toMatchObject({ outcome: 'done', nodes: [{ outcome: 'converted' }] });
  });

  it('that meets another one does what is left, or leaves that one alone', async () => {
    await using site = await createTestSite();
    const before = await site.disk.look();
    const both = [site.convert({ onFailure: 'continue' }), site.convert({ onFailure: 'continue' })];
    const outcomes = (await Promise.all(both)).map(({ nodes: [node] }) => node);
    expect(outcomes.toSorted((a, b) => (a?.outcome ?? '').localeCompare(b?.outcome ?? ''))).toMatchObject([
      { outcome: 'converted' },
      { outcome: expect.stringMatching(/^(unchanged|not-begun)$/) },
    ]);
    expect(await site.convert()).toMatchObject({ outcome: 'unchanged' });
    expect(await site.revert()).toMatchObject({ outcome: 'done' });
    await isVanilla(site, before);
  });

  it('leaves a node as it is that another run made an edge node meanwhile', async () => {
    await using site = await createTestSite();
    const before = await site.disk.look();
    const result = await site.convert({}, { onAgree: () => site.convert() });
    expect(result).toMatchObject({ outcome: 'done', nodes: [{ outcome: 'unchanged' }] });
    await site.revert();
    await isVanilla(site, before);
  });

  it('does not touch a machine that something else was done on meanwhile', async () => {
    await using site = await createTestSite();
    const record = { kind: 'begun', run: '1', version: '1', at: '', steps: [] } as const;
    const { line } = encodeRecord({ ...record, command: 'selvedge join' });
    const onAgree = async (): Promise<void> => {
      await mkdir(site.folder);
      await site.writeJournal(line);
    };
    const result = await site.convert({}, { onAgree });
    const reason = expect.stringContaining('selvedge join');
    expect(result).toMatchObject({ outcome: 'partly', nodes: [{ outcome: 'not-begun', reason }] });
    expect([await site.readJournal(), await site.isConverted()]).toEqual([line, false]);
  });

  it.each([
    [{ 'node-role.kubernetes.io/control-plane': '' }, /control-plane/],
    [{ 'kubernetes.io/os': 'windows' }, /windows/],
    [{ 'node.selvedge.io/version': '1.0.0' }, /lite node/],
  ])('refuses a node with the labels %o, and changes nothing', async (labels, why) => {
    await using site = await createTestSite(labels);
    const before = await site.disk.look();
    await expect(site.convert()).rejects.toMatchObject({ message: why, details: { findings: [why] } });
    expect(await site.convert({ onFailure: 'continue' })).toMatchObject({ nodes: [{ outcome: 'refused' }] });
    expect(site.plans).toEqual([]);
    await isVanilla(site, before);
  });

  it.each(when)('whose machine is lost %s a command leaves the node as it was', (at) =>
    losingConversions({ at, from: at === 'before' ? 6 : 4, stride }),
  );

  it.each(when)('that is stopped %s a command goes on, or is taken back', (at) =>
    stoppingConversions({ at, from: at === 'before' ? 1 : 4, stride }),
  );
});

describe('a revert', () => {
  it.each(when)('that is stopped %s a command goes on, or the conversion does', (at) =>
    stoppingReverts({ at, from: at === 'before' ? 2 : 5, stride }),
  );

  it('of a machine whose cloud is away needs its address, and nothing else', async () => {
    await using site = await createTestSite();
    const before = await site.disk.look();
    await site.convert();
    site.cluster.isAway = true;
    await expect(site.revert()).rejects.toMatchObject({ code: 'Unavailable', hint: /--offline/ });
    const result = await site.revert({ nodes: [{ name: 'till-1', address: '10.0.0.1' }] });
    expect(result).toMatchObject({
      outcome: 'done',
      cloud: 'left',
      nodes: [{ outcome: 'reverted', verified: false }],
    });
    await isVanilla(site, before);
    site.cluster.isAway = false;
    expect(await site.revert()).toMatchObject({
      outcome: 'done',
      nodes: [{ outcome: 'reverted', verified: true }],
    });
    expect(await site.revert()).toMatchObject({ outcome: 'unchanged' });
  });

  it('guesses nothing from a damaged journal, and shows what it knows', async () => {
    await using site = await createTestSite();
    await site.convert();
    const journal = (await site.readJournal()) ?? '';
    const lines = journal.split('\n');
    await site.writeJournal([...lines.slice(0, 6), ...lines.slice(7)].join('\n'));
    const before = await site.disk.look();
    const result = await site.revert();
    const damaged = { outcome: 'damaged', reason: expect.stringContaining('line 7') };
    expect(result).toMatchObject({ outcome: 'partly', nodes: [damaged] });
    expect(result.nodes[0]?.known?.slice(0, 3)).toEqual([
      expect.stringContaining('selvedge convert, 7 steps'),
      'doing: times',
      'did: times',
    ]);
    expect([await site.disk.look(), await site.isConverted()]).toEqual([before, true]);
  });

  it('tells what somebody changed since, and goes on when it is out of the way', async () => {
    await using site = await createTestSite();
    await site.convert();
    const path = join(site.disk.folder, 'etc/selvedge/edge-lite.yaml');
    await writeFile(path, 'by hand\n');
    expect(await site.revert()).toMatchObject({
      outcome: 'partly',
      nodes: [{ outcome: 'failed', reason: expect.stringContaining('changed since') }],
    });
    await writeFile(path, 'node: {}\n');
    expect(await site.revert()).toMatchObject({ outcome: 'done' });
  });
});
