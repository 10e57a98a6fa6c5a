import { systemClock } from '@selvedge/kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clients, itIsReached } from './support/kubectl-reach.ts';
import { itServesKubectl } from './support/kubectl-suite.ts';
import { type Talk, until, useKubectl } from './support/programs.ts';
import { closeSite, siteProxy } from './support/site-proxy.ts';
import { useTunnelBed } from './support/tunnel-bed.ts';
import { podOf, ports, toolObjects } from './support/tunnel-pods.ts';

/** Two shops behind NAT with the same addresses, and an API server whose way to them is the tunnel. */
const nodes = { lite: 'till-1', converted: 'till-2' } as const;
const sites = { lite: 'shop-1', converted: 'shop-2' } as const;
const agents = ['lite', 'converted'] as const;
/** One that only a proxy leads out of. */
const proxied = { node: 'till-3', shop: 'shop-3' } as const;

const here = useTunnelBed({
  prefix: 'tun',
  nodes: agents.map((agent) => ({ name: nodes[agent], site: sites[agent], agent })),
});
const kubeconfig = (): string => here.bed.kubeconfig;
const kubectl = useKubectl({ kubeconfig });

const runsCommands = async (node: string): Promise<boolean> =>
  (await kubectl.run(['exec', podOf(node), '--', 'true'])).exitCode === 0;

beforeAll(() => here.create(agents.flatMap((agent) => toolObjects(nodes[agent]))));

describe('the cloud', () => {
  /** Says a word to commands that repeat what they hear. */
  async function say(word: string, talks: readonly Talk[]): Promise<void> {
    for (const talk of talks) talk.child.stdin.write(`${word}\n`);
    for (const talk of talks) await talk.hears(new RegExp(`^${word}$`, 'm'));
  }

  it('cannot dial the nodes, which have the same address, nor their pods, while it speaks with them', async () => {
    const address = await here.addressOf(nodes.lite);
    expect(await here.addressOf(nodes.converted)).toBe(address);
    const talks = agents.map((agent) =>
      kubectl.talk(kubectl.argv('exec', '--stdin', podOf(nodes[agent]), '--', 'cat')),
    );
    await say('before', talks);
    for (const agent of agents) {
      const of = ['get', 'pod', podOf(nodes[agent]), '--output=jsonpath={.status.podIP}'];
      const { stdout: podAddress } = await kubectl.run(of);
      for (const url of [`https://${address}:10250/healthz`, `http://${podAddress}:${ports.web}/`]) {
        expect([url, await here.answersIn(nodes[agent], url)]).toEqual([url, true]);
        expect([url, await here.answersCloud(sites[agent], url)]).toEqual([url, false]);
      }
    }
    await say('after', talks);
  });

  it('shows who is connected, from where and how', async () => {
    const { stdout } = await here.bed.kubectl(['get', 'edgenodes', '--output=json']);
    const { items } = JSON.parse(stdout) as {
      readonly items: readonly { readonly metadata: { readonly name: string }; readonly status: object }[];
    };
    expect(items.map((one) => one.metadata.name).toSorted()).toEqual(Object.values(nodes));
    const session = { server: 'cloud', carrier: 'tls', direction: 'reverse', state: 'live' };
    for (const { status } of items) expect(status).toMatchObject({ sessions: [session] });
  });
});

for (const agent of agents) {
  // As much as all buffers on the way hold, and more; the long matrix pipes 100 MiB.
  const limits = { pipedBytes: 40 * 1024 * 1024, trafficMs: 3_000 };
  describe(`a ${agent} node behind NAT`, () => {
    itServesKubectl({ here, kubectl, node: nodes[agent], ...limits });
  });
}

for (const agent of agents) {
  const spdy = useKubectl({ kubeconfig, env: clients.SPDY });
  describe(`a ${agent} node, for clients that speak SPDY`, () => {
    itIsReached({ kubectl: spdy, node: nodes[agent] });
  });
}

describe('a site that only a proxy leads out of', () => {
  const { node, shop } = proxied;

  beforeAll(async () => {
    await here.bed.addSite({ name: shop });
    await closeSite(here.bed, shop);
    const uplink = { proxy: siteProxy, carriers: ['websocket'] } as const;
    await here.bed.addNode({ name: node, site: shop, agent: 'lite', uplink });
    await here.create(toolObjects(node));
  });

  it('is connected by WebSocket', async () => {
    const path = '--output=jsonpath={.status.sessions[*].carrier}';
    expect((await here.bed.kubectl(['get', 'edgenode', node, path])).stdout).toBe('websocket');
  });

  itIsReached({ kubectl, node });
});

describe('sites that are cut off', () => {
  const numbers = (talk: Talk): readonly number[] => talk.said.split('\n').slice(0, -1).map(Number);
  const follow = (agent: (typeof agents)[number], ...since: readonly string[]): Talk =>
    kubectl.talk(kubectl.argv('logs', '--follow', podOf(nodes[agent]), '--container=ticker', ...since));
  const healAll = async (): Promise<void> => {
    for (const agent of agents) await here.bed.heal(sites[agent]);
  };
  let last: readonly number[] = [];

  afterAll(healAll);

  it('lose their streams once they are known to be gone, and only they', async () => {
    const following = agents.map((agent) => follow(agent, '--tail=1'));
    for (const one of following) await one.hears(/\d+\n\d+\n/);
    const cutMs = systemClock.monotonicMs();
    for (const agent of agents) await here.bed.cut(sites[agent], 'blackhole');
    // The API server does not tell its clients why a log has ended. Source: apiserver, `StreamObject`.
    for (const one of following) expect([await one.ended, one.complaint]).toEqual([0, '']);
    // A dead peer is noticed within 14 s; the rest is for a busy machine. Nobody else would notice so soon.
    expect(systemClock.monotonicMs() - cutMs).toBeLessThan(40_000);
    last = following.map((one) => numbers(one).at(-1) ?? 0);
    const away = await kubectl.run(['exec', podOf(nodes.lite), '--', 'true']);
    expect(away.stderr).toContain(`node ${nodes.lite} is not connected`);
    expect(await runsCommands(proxied.node)).toBe(true);
  });

  it('are reached again after the heal, and their logs lack nothing', async () => {
    await healAll();
    for (const [index, agent] of agents.entries()) {
      await until('the tunnel', () => runsCommands(nodes[agent]));
      const seen = last[index] ?? 0;
      const again = follow(agent, '--since=5m');
      await until('what was missed', async () => numbers(again).includes(seen + 10));
      const now = numbers(again).at(-1) ?? 0;
      await until('what is written now', async () => numbers(again).includes(now + 2));
      const all = numbers(again);
      expect(all).toContain(seen);
      expect(all).toEqual(all.map((_, at) => (all[0] ?? 0) + at));
    }
  });
});

describe('a banned node', () => {
  const node = nodes.converted;
  const ban = (banned: boolean): Promise<unknown> =>
    here.bed.kubectl(['patch', 'edgenode', node, '--type=merge', `--patch={"spec":{"banned":${banned}}}`]);

  it('is cut off in the middle of a stream, and stays so', async () => {
    const following = kubectl.talk(kubectl.argv('logs', '--follow', podOf(node)));
    await following.hears(/two/);
    await ban(true);
    await following.ended;
    const refused = await until('the end of the tunnel', async () => {
      const said = await kubectl.run(['exec', podOf(node), '--', 'true']);
      return said.exitCode !== 0 && said;
    });
    expect(refused.stderr).toContain(`node ${node} is not connected`);
    expect(await runsCommands(nodes.lite)).toBe(true);
  });

  it('comes back when the ban is lifted', async () => {
    await ban(false);
    await until('the tunnel', () => runsCommands(node));
  });
});
