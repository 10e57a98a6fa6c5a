import { resources } from '@selvedge/kube';
import { describe, expect, test } from 'vitest';
import { connectWith } from './kube-world.ts';
import { type LimitedUser, type RightText, limitedUser } from './limited-user.ts';
import { type ManagerWorld, signal } from './manager-world.ts';
import { documents } from './selvedge-documents.ts';
import { type Ran, selvedge } from './selvedge.ts';

const tunnelServer = 'tunnel.example.com:443';
/** Without which nobody makes a token. */
const needed = [
  'get,patch configmaps/cluster-info',
  'list clusterrolebindings.rbac.authorization.k8s.io',
  'create,delete secrets',
] as const;

/** Registers tests of people with few rights, in a cluster that is prepared for tokens and was converted for `tunnelServer`. */
export function testTokenMakers(world: () => ManagerWorld): void {
  describe('for who may make tokens', () => {
    const person = (name: string, rights: readonly RightText[]): Promise<LimitedUser> =>
      limitedUser({ controlPlane: world().cluster.controlPlane, admin: world().admin }, name, rights);
    const create = ({ kubeconfig }: LimitedUser, ...args: readonly string[]): Promise<Ran> =>
      selvedge(['token', 'create', '--kubeconfig', kubeconfig, '--json', ...args]);

    test('and read nothing else, says what it does not know, and makes one that works', async () => {
      await using maker = await person('maker', needed);
      const plan = documents.Plan.parse((await create(maker, '--dry-run', '--node', 'shop-9')).document());
      expect(plan.parts.map(({ where }) => where)).toEqual(['token']);
      expect(plan.warnings.filter((one) => !one.includes('--server'))).toEqual([
        expect.stringMatching(/^whether the binding to nodes is enforced is unknown: you are not allowed/),
        expect.stringMatching(/^whether the cloud side is set up .* is unknown/),
        expect.stringMatching(/^whether node shop-9 already exists is unknown: .* get nodes\/shop-9$/),
        expect.stringMatching(/cluster DNS is unknown: .* get configmaps\/kubelet-config in kube-system/),
        expect.stringMatching(
          /^you are not allowed to get configmaps\/selvedge-install .*, so nodes that join get no tunnel: add --tunnel-server/,
        ),
      ]);
      const ran = await create(maker, '--yes');
      expect(ran).toMatchObject({ code: 0 });
      const { token } = documents.TokenCreated.parse(ran.document());
      const { url, controlPlane } = world().cluster;
      const holder = connectWith(url, { certificateAuthority: controlPlane.ca, bearerToken: token });
      await holder.create(resources.selfSubjectReviews, { metadata: {} }, { signal });
      await holder.close();
    });

    test('and not know whom to trust at the tunnel, is refused at once with all rights that it takes', async () => {
      await using maker = await person('maker', needed);
      const args = ['token', 'create', '--dry-run', '--tunnel-server', tunnelServer];
      const ran = await selvedge([...args, '--kubeconfig', maker.kubeconfig]);
      expect([ran.code, ran.stdout]).toEqual([3, '']);
      expect(ran.stderr).toMatch(/cannot create a token that machines can join with: you are not allowed to/);
      for (const right of [
        'get configmaps/selvedge-install',
        'get deployments.apps/cloud-manager',
        'get configmaps/cloud-manager-tunnel-ca',
        'get roles.rbac.authorization.k8s.io/selvedge:tunnel-ca',
      ])
        expect(ran.stderr).toContain(`${right} in selvedge-system`);
      expect(ran.stderr).toContain('User "maker" cannot get resource "configmaps"');
      expect(ran.stderr).toMatch(/next +have a cluster administrator give you the right to/);
    });

    test('and read the cloud side, makes one for its tunnel', async () => {
      await using maker = await person('maker', [
        ...needed,
        'get configmaps',
        'get secrets/cloud-manager-tls',
        'get deployments.apps/cloud-manager',
        'get roles.rbac.authorization.k8s.io',
        'get rolebindings.rbac.authorization.k8s.io',
      ]);
      const made = documents.TokenCreated.parse((await create(maker, '--yes')).document());
      expect(made.tunnelServers).toEqual([tunnelServer]);
    });

    test.each([['list'], ['delete', 'abc123', '--yes']])(
      'and not list them, is told so by token %s',
      async (...args) => {
        await using maker = await person('maker', needed);
        const ran = await selvedge(['token', ...args, '--kubeconfig', maker.kubeconfig]);
        expect([ran.code, ran.stdout]).toEqual([3, '']);
        expect(ran.stderr).toContain('you are not allowed to list secrets in kube-system');
      },
    );

    test('and not see what is there, is refused before anything is changed', async () => {
      await using blind = await person('blind', ['create,delete secrets']);
      const ran = await create(blind, '--yes');
      expect(ran).toMatchObject({ code: 3, stdout: '' });
      expect(ran.stderr).toMatch(/configmaps\/cluster-info in kube-public, list clusterrolebindings/);
    });
  });
}
