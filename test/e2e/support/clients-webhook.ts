import { describe, expect, it } from 'vitest';
import { type ClientsSite, agents, sites } from './clients-site.ts';
import { configMap, denial } from './edge-webhook.ts';
import { until } from './programs.ts';

/** What the API server hears from a webhook whose pods are at two sites. */
export function describeWebhook(here: ClientsSite): void {
  describe('an admission webhook that pods at the edge serve', () => {
    const create = async (policy: 'Fail' | 'Ignore', wanted: boolean): Promise<string> => {
      const { stdout, stderr } = await here.kubectl.run(
        ['create', '--filename=-'],
        JSON.stringify(configMap(policy, wanted)),
      );
      return stdout + stderr;
    };
    const said = `"fail.hook.test" denied the request: ${denial}`;
    /** Resolves once the webhook is heard; until the API server's own connections are known to be broken it is not. */
    const denied = (): Promise<unknown> =>
      until('a denial', async () => (await create('Fail', false)).includes(said), 60_000);

    it('is heard', async () => {
      await denied();
      expect(await create('Fail', true)).toMatch(/^configmap\/looked-at-\S+ created/);
    });

    it.each(agents)('is served by the other site while the one of the %s node is cut off', async (agent) => {
      await here.bed.cut(sites[agent], 'refused');
      await denied();
      await here.bed.heal(sites[agent]);
      await here.connected(agent);
    });

    it('leaves it to the failure policy when nobody can be reached', async () => {
      for (const agent of agents) await here.bed.cut(sites[agent], 'blackhole');
      expect(await create('Fail', true)).toContain('failed calling webhook "fail.hook.test"');
      expect(await create('Ignore', false)).toMatch(/^configmap\/looked-at-\S+ created/);
      for (const agent of agents) await here.bed.heal(sites[agent]);
      await denied();
    });
  });
}
