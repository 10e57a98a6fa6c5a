import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bed } from '@selvedge/bed';
import { createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import { type KubeClient, createKubeClient, createKubeMetrics, staticCredentials } from '@selvedge/kube';
import { stateFolder } from './edge-lite.ts';

/** The nftables table that cuts a link. */
const table = 'selvedge-test';

/** Cuts the link of one node: to the cloud, not to its neighbours. */
export async function cutLink(bed: Bed, node: string): Promise<void> {
  const cloud = new URL(bed.server).hostname;
  const chain = (hook: string): string =>
    `add chain inet ${table} ${hook} { type filter hook ${hook} priority -300; }`;
  const drop = (hook: string): string => `add rule inet ${table} ${hook} ip daddr ${cloud} drop`;
  const rules = [chain('output'), chain('forward'), drop('output'), drop('forward')];
  await bed.exec(node, ['nft', [`add table inet ${table}`, ...rules].join('; ')]);
}

export async function healLink(bed: Bed, node: string): Promise<void> {
  await bed.exec(node, ['nft', 'delete', 'table', 'inet', table]);
}

/** What cloud-manager counts. */
export async function metricsOf(bed: Bed): Promise<string> {
  const file = (name: string): string => join(bed.logs, '../pki', name);
  const who = ['--cert', file('admin.crt'), '--key', file('admin.key'), '--cacert', file('ca.crt')];
  const how = ['--silent', '--show-error', '--fail', '--max-time', '10'];
  return (await bed.exec('cloud', ['curl', ...how, ...who, `${bed.manager}/metrics`])).stdout;
}

/** As a node itself, with its own certificate. The caller closes it. */
export async function connectAs(bed: Bed, node: string): Promise<KubeClient> {
  const pki = join(stateFolder(bed, node), 'pki');
  const pem = await readFile(join(pki, 'client.pem'), 'utf8');
  const certificateAuthority = await readFile(join(pki, 'ca.crt'), 'utf8');
  const clientCertificate = { certificate: pem, privateKey: pem };
  return createKubeClient(
    { servers: [bed.server], userAgent: 'selvedge-e2e' },
    {
      credentials: staticCredentials({ certificateAuthority, clientCertificate }),
      clock: systemClock,
      random: seededRandom(3),
      log: silentLogger,
      metrics: createKubeMetrics(createMetricsRegistry()),
    },
  );
}
