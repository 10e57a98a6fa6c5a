import { spawn } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureAssets } from '@selvedge/hack/setup';
import { systemClock } from '@selvedge/kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../bed/free-port.ts';
import { waitFor } from '../bed/wait.ts';

const snippet = join(import.meta.dirname, '../../deploy/dns/nodes.selvedge.corefile');
const service = '10.96.0.77';
/** What the block of a real cluster answers for the Service. */
const cluster = `
cluster.local {
    hosts {
        ${service} cloud-manager.selvedge-system.svc.cluster.local
    }
}
`;

let folder: string;
let stop: () => Promise<unknown>;
const resolver = new Resolver({ timeout: 1_000, tries: 2 });

beforeAll(async () => {
  const { coredns } = await ensureAssets({ binaries: ['coredns'] });
  folder = await mkdtemp(join(tmpdir(), 'selvedge-dns-'));
  const port = await freePort();
  await writeFile(join(folder, 'Corefile'), (await readFile(snippet, 'utf8')) + cluster);
  const child = spawn(coredns, ['-conf', join(folder, 'Corefile'), `-dns.port=${port}`], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  stop = async () => {
    child.kill();
    await exited;
  };
  resolver.setServers([`127.0.0.1:${port}`]);
  await waitFor({ what: 'CoreDNS' }, systemClock, async () =>
    resolver.resolve4('cloud-manager.selvedge-system.svc.cluster.local').then(
      () => true,
      () => undefined,
    ),
  );
});
afterAll(async () => {
  await stop();
  await rm(folder, { recursive: true });
});

test.each(['shop-1.nodes.selvedge', 'shop-1.example.com.nodes.selvedge', 'SHOP-1.nodes.selvedge'])(
  '%s is the address of the Service',
  async (name) => {
    expect(await resolver.resolve4(name)).toEqual([service]);
  },
);

test('the zone itself, and what no node can be called, is not there', async () => {
  await expect(resolver.resolve4('nodes.selvedge')).rejects.toThrow(/ENOTFOUND/);
  await expect(resolver.resolve4('-x.nodes.selvedge')).rejects.toThrow(/ENOTFOUND/);
});
