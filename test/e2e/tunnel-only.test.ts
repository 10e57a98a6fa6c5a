import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Bed, nameBed, waitFor } from '@selvedge/bed';
import { type CommandResult, ensureAssets, runUnchecked } from '@selvedge/hack/setup';
import { systemClock } from '@selvedge/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stateFolder } from './support/edge-lite.ts';
import { type HubStatus, askHub } from './support/hub-site.ts';
import { pod, running } from './support/pods.ts';

/** A shop whose firewall lets nothing out but the tunnel: the API server is reached through it too. */
const shop = 'shop-1';
const agents = ['lite', 'converted'] as const;
const nodes = { lite: 'till-1', converted: 'till-2' } as const;
const counter = 'kept';

let name: string;
let bed: Bed;
let program: string;

const until = <T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> =>
  waitFor({ what }, systemClock, look);

const kubectl = (...args: readonly string[]): Promise<CommandResult> =>
  runUnchecked({ argv: [program, `--kubeconfig=${bed.kubeconfig}`, '--request-timeout=20s', ...args] });

/** From now on; packets that it dropped on their way to the API server are counted. */
async function close(): Promise<void> {
  const chain = ['inet', 'router', 'forward'] as const;
  const out = ['iifname', 'lan', 'oifname', 'wan0'] as const;
  const api = ['tcp', 'dport', '6443', 'counter', 'name', counter, 'drop'] as const;
  const other = ['tcp', 'dport', '!=', '443', 'drop'] as const;
  await bed.exec(shop, ['nft', 'add', 'counter', 'inet', 'router', counter]);
  await bed.exec(shop, ['nft', 'insert', 'rule', ...chain, ...out, ...other]);
  await bed.exec(shop, ['nft', 'insert', 'rule', ...chain, ...out, 'meta', 'l4proto', '!=', 'tcp', 'drop']);
  await bed.exec(shop, ['nft', 'insert', 'rule', ...chain, ...out, ...api]);
}

/** Resolves once the hub of the node says so. */
const untilHub = (
  node: string,
  says: (connectivity: HubStatus['connectivity']) => boolean,
): Promise<boolean> =>
  until(`the hub of ${node} to know`, async () => {
    const { connectivity } = JSON.parse(await askHub({ bed }, node, '/selvedge/status')) as HubStatus;
    return says(connectivity);
  });

const create = async (pods: readonly object[]): Promise<void> => {
  const items = pods.map((one) => ({ apiVersion: 'v1', kind: 'Pod', ...one }));
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await bed.kubectl(['create', '--filename=-'], { input });
};

const shellOf = (pods: string, agent: (typeof agents)[number]): object =>
  pod({ name: `${pods}-${agent}`, node: nodes[agent], containers: [running('echo one; echo two')] });

beforeAll(async () => {
  name = await nameBed('one');
  ({ kubectl: program } = await ensureAssets({ binaries: ['kubectl'] }));
  const uplink = { via: 'tunnel' } as const;
  bed = await Bed.up({
    name,
    controlPlane: { tunnel: true },
    sites: [{ name: shop }],
    nodes: agents.map((agent) => ({ name: nodes[agent], site: shop, agent, uplink })),
  });
  await until('the default service account', async () =>
    (await kubectl('get', 'serviceaccounts', '--output=name')).stdout.includes('/default'),
  );
  // A node joins before it has what the tunnel knows it by.
  await close();
});
afterAll(() => Bed.down(name));

describe('a site with one port out', () => {
  it('runs pods, and shows their logs', async () => {
    await create(agents.map((agent) => shellOf('shell', agent)));
    await bed.kubectl(['wait', '--for=condition=Ready', 'pods', '--all', '--timeout=60s']);
    for (const agent of agents) {
      expect(await kubectl('logs', `shell-${agent}`)).toMatchObject({ exitCode: 0, stdout: 'one\ntwo\n' });
    }
  });

  it('has a certificate for the names by which the cloud reaches its lite node', async () => {
    const file = join(stateFolder(bed, nodes.lite), 'pki/serving.pem');
    const names = await until('the certificate', async () => {
      const { subjectAltName } = new X509Certificate(await readFile(file));
      return subjectAltName?.includes('nodes.selvedge') === true && subjectAltName.split(', ');
    });
    expect(names).toEqual(expect.arrayContaining([`DNS:${nodes.lite}`, `DNS:${nodes.lite}.nodes.selvedge`]));
  });

  it('shows sessions in both directions', async () => {
    const path = '--output=jsonpath={.status.sessions[*].direction}';
    for (const node of Object.values(nodes)) {
      const { stdout } = await kubectl('get', 'edgenode', node, path);
      expect(stdout.split(' ').toSorted()).toEqual(['forward', 'reverse']);
    }
  });

  it('goes on alone when it is cut off, and comes back by itself', async () => {
    await bed.cut(shop, 'blackhole');
    for (const node of Object.values(nodes)) await untilHub(node, ({ kind }) => kind === 'offline');
    await create(agents.map((agent) => shellOf('later', agent)));
    await bed.heal(shop);
    await bed.kubectl(['wait', '--for=condition=Ready', 'pods', '--all', '--timeout=60s']);
    for (const agent of agents) {
      await until('the tunnel', async () => (await kubectl('logs', `later-${agent}`)).exitCode === 0);
    }
  });

  it('has not tried the API server’s own port all the time', async () => {
    const { stdout } = await bed.exec(shop, ['nft', 'list', 'counter', 'inet', 'router', counter]);
    expect(stdout).toMatch(/packets 0 bytes 0/);
  });

  it('has no API server while a node is banned, and only that node', async () => {
    const ban = (banned: boolean): Promise<CommandResult> =>
      kubectl('patch', 'edgenode', nodes.lite, '--type=merge', `--patch={"spec":{"banned":${banned}}}`);
    await ban(true);
    await untilHub(nodes.lite, ({ reason }) => reason?.includes(`node ${nodes.lite} is banned`) === true);
    await untilHub(nodes.converted, ({ kind }) => kind === 'online');
    await ban(false);
    await untilHub(nodes.lite, ({ kind }) => kind === 'online');
  });
});
