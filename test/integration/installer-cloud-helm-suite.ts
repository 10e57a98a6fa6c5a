import { managerNamespace } from '@selvedge/api';
import {
  cloudStatus,
  createReading,
  lookAtCloud,
  newTunnelAuthority,
  newTunnelCertificate,
  planCloud,
} from '@selvedge/installer/testing';
import { resources } from '@selvedge/kube';
import { describe, expect, test } from 'vitest';
import { chartFolder } from '../bed/helm.ts';
import { type CloudWorld, options } from './installer-cloud-world.ts';
import { documents } from './selvedge-documents.ts';
import { type Ran, selvedge } from './selvedge.ts';

const { signal } = new AbortController();
const release = ['selvedge', chartFolder, `--namespace=${managerNamespace}`] as const;

/** Registers tests of a cluster that `selvedge` has not converted. The last ones of their file: what of helm outlives its release stays. */
export function testHelmAlone(world: () => CloudWorld): void {
  describe('cloud-manager that helm alone installed', () => {
    const mine = { namespace: managerNamespace, name: 'my-tls' };
    const authority = newTunnelAuthority(Date.now());
    const reading = () => createReading({ cluster: world().cluster, signal });
    const tokenCreate = (...flags: readonly string[]): Promise<Ran> =>
      selvedge(['token', 'create', '--kubeconfig', world().kubeconfig, '--dry-run', '--json', ...flags]);

    test('tells nobody whom to trust without its Secret, and no token is made for its tunnel', async () => {
      await world().helm('install', ...release, '--create-namespace', `--set=tls.secretName=${mine.name}`);
      expect(await cloudStatus(reading())).toMatchObject({
        kind: 'external',
        tunnel: { kind: 'unknown', why: expect.stringContaining('selvedge-system/my-tls') },
      });
      const refused = await tokenCreate('--tunnel-server=tunnel.example.com:443');
      expect(refused.code).toBe(3);
      expect(refused.stderr).toMatch(/whom to trust.*my-tls.*does not exist/);
      // Machines without a tunnel need not trust it.
      expect((await tokenCreate()).code).toBe(0);
    });

    test('tells joining machines whom to trust, and where nodes connect, by its Secret and its Service', async () => {
      const names = ['tunnel.example.com', 'cloud-manager.selvedge-system.svc'];
      const { certificate, key } = newTunnelCertificate({ names, now: Date.now() }, authority);
      const stringData = { 'tls.crt': certificate, 'tls.key': key, 'ca.crt': authority.certificate };
      await world().cluster.create(resources.secrets, { metadata: mine, stringData }, { signal });
      const servers = ['tunnel.example.com:443'];
      expect(await cloudStatus(reading())).toMatchObject({
        tunnel: { kind: 'known', servers, ca: authority.certificate },
        certificate: { names },
      });
      const plan = documents.Plan.parse((await tokenCreate()).document());
      const whats = plan.parts.flatMap(({ changes }) => changes.map(({ what }) => what));
      expect(whats).toContain(
        'publish the CA of the tunnel certificate: ConfigMap selvedge-system/cloud-manager-tunnel-ca',
      );
      expect(plan.warnings.filter((one) => one.includes('--tunnel-server'))).toEqual([]);
    });

    test('keeps its certificate when nodes are converted, which are told whom to trust', async () => {
      const look = (values: typeof options.values) => lookAtCloud({ ...options, values }, world().deps);
      const seen = await look({});
      expect(() => planCloud(options, seen)).toThrow(
        expect.objectContaining({ code: 'Conflict', hint: expect.stringContaining('helm get values') }),
      );
      const values = { tls: { secretName: mine.name } };
      const plan = planCloud({ ...options, values }, await look(values));
      expect(plan.tunnel.ca).toBe(authority.certificate);
      expect(plan.changes.filter(({ kind }) => kind === 'certificate')).toEqual([]);
    });
  });
}
