import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bed } from '@selvedge/bed';
import { ensureAssets } from '@selvedge/hack/setup';

const port = 3128;

/** Where nodes of a site with the default LAN find its proxy. */
export const siteProxy = `http://192.168.50.1:${port}`;

/**
 * A real HTTP proxy on the router of a site, and no other way out of it: what nodes send elsewhere is dropped. It ends with the
 * bed. Source: tinyproxy.conf(5).
 */
export async function closeSite(bed: Bed, site: string): Promise<void> {
  const { tinyproxy } = await ensureAssets({ binaries: ['tinyproxy'] });
  const config = join(bed.logs, `tinyproxy.${site}.conf`);
  const lines = [
    'User root',
    `Port ${port}`,
    `LogFile "${join(bed.logs, `tinyproxy.${site}.log`)}"`,
    'LogLevel Connect',
    'Timeout 600',
    'Allow 192.168.50.0/24',
    'ConnectPort 443',
    'ConnectPort 6443',
  ];
  await writeFile(config, `${lines.join('\n')}\n`);
  await bed.exec(site, [tinyproxy, '-c', config]);
  await onlyWay(bed, site);
}

/** What nodes of the site send out of it is dropped: what runs on its router is the only way. */
export async function onlyWay(bed: Bed, site: string): Promise<void> {
  const drop = ['iifname', 'lan', 'oifname', 'wan0', 'drop'];
  await bed.exec(site, ['nft', 'insert', 'rule', 'inet', 'router', 'forward', ...drop]);
}
