import { managerNamespace as namespace } from '@selvedge/api';
import { type CommandContext, type Finding, check, describeStatus, status } from '@selvedge/installer';
import { newTunnelAuthority, newTunnelCertificate } from '@selvedge/installer/testing';
import { hasCode, systemClock } from '@selvedge/kit';
import { type KubeClient, mergePatch, resources } from '@selvedge/kube';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import { type LimitedUser, type RightText, limitedUser } from './limited-user.ts';
import { selvedge } from './selvedge.ts';

const { signal } = new AbortController();
const [service, secret] = ['cloud-manager-tunnel', 'my-tls'];
const address = '203.0.113.7';
const inventory = 'configmaps/selvedge-install in selvedge-system';
const dayMs = 86_400_000;

/** A cluster with the nodes `shop-1` and `shop-2`, and its administrator's client. */
interface CheckWorld {
  readonly controlPlane: PrivateControlPlane;
  readonly cluster: KubeClient;
  readonly context: CommandContext;
}

/** What the chart makes, as far as it is read, with a certificate that ends soon, behind a balancer that kube-proxy catches. */
async function setUpAsHelm(cluster: KubeClient): Promise<void> {
  await cluster
    .create(resources.namespaces, { metadata: { name: namespace } }, { signal })
    .catch((error: unknown) => {
      if (!hasCode(error, 'AlreadyExists')) throw error;
    });
  const now = systemClock.now() - 360 * dayMs;
  const authority = newTunnelAuthority(now);
  const pair = newTunnelCertificate({ names: ['tunnel.example.com'], now }, authority);
  const stringData = {
    'tls.crt': pair.certificate,
    'tls.key': pair.key,
    'ca.crt': authority.certificate,
  };
  await cluster.create(resources.secrets, { metadata: { namespace, name: secret }, stringData }, { signal });
  const app = { app: 'cloud-manager' };
  const containers = [{ name: 'a', image: 'a' }];
  const spec = { containers, volumes: [{ name: 'tls', secret: { secretName: secret } }] };
  const deployment = {
    metadata: { namespace, name: 'cloud-manager', labels: { 'app.kubernetes.io/version': '1.2.3' } },
    spec: { selector: { matchLabels: app }, template: { metadata: { labels: app }, spec } },
  };
  await cluster.create(resources.deployments, deployment, { signal });
  const ports = [{ name: 'tunnel', port: 443 }];
  await cluster.create(
    resources.services,
    { metadata: { namespace, name: service }, spec: { type: 'LoadBalancer', ports } },
    { signal },
  );
  const patch = mergePatch({ status: { loadBalancer: { ingress: [{ ip: address, ipMode: 'VIP' }] } } });
  const at = { namespace, name: service };
  await cluster.patch(resources.services, at, { patch, subresource: 'status', signal });
}

const whatsOf = (findings: readonly Finding[]) => (id: string) =>
  findings.flatMap((one) => (one.id === id ? [one.what] : []));

/** Registers tests of who may read part of a cluster that helm alone set up, which they leave there. */
export function testFewRights(world: () => CheckWorld): void {
  describe('in a cluster that helm alone set up, who may read part of it', () => {
    beforeAll(() => setUpAsHelm(world().cluster));

    const user = (name: string, rights: readonly RightText[]): Promise<LimitedUser> =>
      limitedUser({ controlPlane: world().controlPlane, admin: world().cluster }, name, rights);

    it('is told by check what follows from what he may read, and each thing that he may not', async () => {
      await using part = await user('part', ['get deployments.apps', `get secrets/${secret}`]);
      const { findings } = await check({}, { ...world().context, cluster: part.client });
      const of = whatsOf(findings);
      expect(of('tunnel-certificate-ends')).toEqual([expect.stringMatching(/expires on/)]);
      expect(of('tunnel-caught')).toEqual([]);
      expect(of('unreadable')).toEqual(
        expect.arrayContaining([
          `you are not allowed to get ${inventory}`,
          'you are not allowed to get services/cloud-manager-tunnel in selvedge-system',
          'you are not allowed to list nodes',
        ]),
      );
      expect(of('unreadable').filter((what) => /secrets|deployments/.test(what))).toEqual([]);
      const [nodes] = findings.filter(({ what }) => what === 'you are not allowed to list nodes');
      expect(nodes).toMatchObject({
        why: expect.stringContaining('User "part" cannot list resource "nodes"'),
        fix: expect.stringContaining('kubectl auth can-i list nodes'),
      });
      // Nothing is concluded from what may not be read.
      for (const id of ['no-nodes', 'control-plane-hosted', 'dns-zone-impossible', 'kube-proxy-missing'])
        expect(of(id)).toEqual([]);
    });

    it('is told by check of the other part with other rights', async () => {
      const rights = [`get configmaps`, 'get deployments.apps', 'get services', 'list nodes'] as const;
      await using other = await user('other', rights);
      const { findings, nodes } = await check({}, { ...world().context, cluster: other.client });
      expect(nodes).toEqual(['shop-1', 'shop-2']);
      const of = whatsOf(findings);
      expect(of('tunnel-caught')).toEqual([expect.stringContaining(address)]);
      expect(of('tunnel-certificate-ends')).toEqual([]);
      expect(of('unreadable')).toContain('you are not allowed to get secrets/my-tls in selvedge-system');
      expect(of('unreadable').filter((what) => /selvedge-install|services/.test(what))).toEqual([]);
    });

    it('is told by status what is known, and which rights the rest needs', async () => {
      await using part = await user('part', ['get deployments.apps', `get secrets/${secret}`, 'list nodes']);
      const result = await status({}, { ...world().context, cluster: part.client });
      expect(result.cloud).toMatchObject({
        kind: 'unknown',
        version: '1.2.3',
        tunnel: { kind: 'known', serversUnknown: expect.stringMatching(/services\/cloud-manager-tunnel/) },
        certificate: { names: ['tunnel.example.com'] },
      });
      expect(result.nodes.map(({ name }) => name)).toEqual(['shop-1', 'shop-2']);
      expect(result.nodes[0]).not.toHaveProperty('sessions');
      const text = describeStatus(result);
      expect(text).toMatch(/^Selvedge 1\.2\.3, .* whether selvedge convert made it is unknown/);
      expect(text).toContain(`get ${inventory}: `);
      expect(text).toContain('User "part" cannot list resource "edgenodes"');
    });

    it('is refused a status without nodes in one sentence that says what helps', async () => {
      await using nobody = await user('nobody', ['get deployments.apps']);
      const ran = await selvedge(['status', '--kubeconfig', nobody.kubeconfig]);
      expect([ran.code, ran.stdout]).toEqual([3, '']);
      expect(ran.stderr).toMatch(/cannot show the state of nodes: you are not allowed to list nodes/);
      expect(ran.stderr).toMatch(/why .*User "nobody" cannot list resource "nodes"/);
      expect(ran.stderr).toMatch(/next +have a cluster administrator give you the right to list nodes/);
    });
  });
}
