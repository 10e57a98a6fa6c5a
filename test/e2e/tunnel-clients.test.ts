import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describePrometheus } from './support/clients-prometheus.ts';
import { account, agents, busyPodOf, carriers, nodes, useClientsSite } from './support/clients-site.ts';
import { describeTop } from './support/clients-top.ts';
import { describeWebhook } from './support/clients-webhook.ts';
import { agentLog, nodeFolder, stateFolder } from './support/edge-lite.ts';
import { until } from './support/programs.ts';

const here = useClientsSite();

describe.each(agents)('through squid and nginx, a %s node', (agent) => {
  it(`is connected by ${carriers[agent]}, and in no other way`, async () => {
    const path = '--output=jsonpath={.status.sessions[*].carrier}';
    expect((await here.bed.kubectl(['get', 'edgenode', nodes[agent], path])).stdout).toBe(carriers[agent]);
    const direct = ['curl', '--silent', '--insecure', '--max-time', '1', `${here.bed.server}/livez`] as const;
    await expect(here.bed.exec(nodes[agent], direct)).rejects.toThrow(/exit code 28\b/);
  });

  it('shows logs and runs commands', async () => {
    const logs = await here.kubectl.run(['logs', busyPodOf(agent), '--container=main']);
    expect(logs).toMatchObject({ exitCode: 0, stdout: 'one\ntwo\n' });
    const input = randomBytes(2 * 1024 * 1024);
    const sum = ['exec', '-i', busyPodOf(agent), '--container=main', '--', 'sha256sum'];
    const { stdout } = await here.kubectl.run(sum, input);
    expect(stdout).toContain(createHash('sha256').update(input).digest('hex'));
  });
});

describeTop(here);
describePrometheus(here);
describeWebhook(here);

describe('with a password that squid does not take', () => {
  const changed = 'another horse';
  const said = 'answered 407 Proxy Authentication Required (check the credentials for the proxy)';

  /** What the node itself sees of its metrics, the cloud or no cloud. */
  const metricsOf = async (node: string): Promise<string> => {
    const pki = join(stateFolder(here.bed, node), 'pki');
    const trust = ['--cacert', join(pki, 'hub-ca.crt'), '--cert', join(pki, 'client.pem')];
    const url = 'https://127.0.0.1:10270/selvedge/metrics';
    return (await here.bed.exec(node, ['curl', '--silent', '--fail', ...trust, url])).stdout;
  };

  it.concurrent.each(agents)(
    'a %s node says so, and is back once its file has the new one',
    async (agent) => {
      const node = nodes[agent];
      const squid = here.squidOf(agent);
      await squid.setPassword(changed);
      await squid.restart();
      await until('the complaint', async () =>
        (await agentLog(here.bed, node)).some(
          ({ level, text, error }) =>
            level === 'warn' && text === 'no tunnel' && String(error).endsWith(said),
        ),
      );
      const tries = `{direction="reverse",carrier="${carriers[agent]}",outcome="proxy"}`;
      const metrics = await metricsOf(node);
      expect(metrics).toContain(`selvedge_tunnel_sessions_total${tries}`);
      expect(metrics).toContain('selvedge_tunnel_links_up 0');
      const file = join(nodeFolder(here.bed, node), 'proxy-credentials');
      await writeFile(file, `${account.user}:${changed}\n`);
      await here.connected(agent);
    },
  );
});
