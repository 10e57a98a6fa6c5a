import { copyFile, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Bed, waitFor } from '@selvedge/bed';
import { ensureAssets, run } from '@selvedge/hack/setup';
import { systemClock } from '@selvedge/kit';
import { onlyWay } from './site-proxy.ts';

const port = 3128;
/** Where Debian's binaries look for what was unpacked elsewhere. */
const ownLibraries = '../lib/x86_64-linux-gnu';

export interface SquidOptions {
  readonly account: { readonly user: string; readonly password: string };
  /** Names that it knows, with their addresses. */
  readonly hosts: Readonly<Record<string, string>>;
}

/** A real HTTP proxy on the router of a site, and no other way out. It ends with the bed. */
export interface Squid {
  /** From now on another one counts, for new connections. */
  setPassword(password: string): Promise<void>;
  /** Ends it with all its connections, and starts it again. */
  restart(): Promise<void>;
}

/** squid drops its rights, so all it reads is in its own folder. Source: squid.conf.documented of squid 5. */
function configuration(folder: string): string {
  const lines = [
    `http_port ${port}`,
    'visible_hostname proxy.shop.test',
    `auth_param basic program ${folder}/basic_ncsa_auth ${folder}/passwords`,
    'auth_param basic children 1 startup=1',
    'auth_param basic credentialsttl 1 second',
    'acl account proxy_auth REQUIRED',
    'acl open port 443 6443',
    'http_access deny !open',
    'http_access allow CONNECT account',
    'http_access deny all',
    'cache deny all',
    'cache_mem 8 MB',
    'memory_pools off',
    'netdb_filename none',
    'pinger_enable off',
    'max_filedescriptors 4096',
    'shutdown_lifetime 0 seconds',
    `hosts_file ${folder}/hosts`,
    `access_log stdio:${folder}/access.log`,
    `cache_log ${folder}/cache.log`,
    `pid_filename ${folder}/squid.pid`,
    // Their pages and pictures are not there; nobody looks at them.
    `error_directory ${folder}`,
    `icon_directory ${folder}`,
    `mime_table ${folder}/mime.conf`,
    `unlinkd_program ${folder}/unlinkd`,
    `logfile_daemon ${folder}/log_file_daemon`,
  ];
  return `${lines.join('\n')}\n`;
}

const helpers = ['lib/squid/basic_ncsa_auth', 'lib/squid/unlinkd', 'lib/squid/log_file_daemon'];

/** Starts Debian's squid, which asks for an account, on the site's router; what nodes send elsewhere is dropped. */
export async function closeSiteWithSquid(bed: Bed, site: string, options: SquidOptions): Promise<Squid> {
  const { squid } = await ensureAssets({ binaries: ['squid'] });
  const { user, password } = options.account;
  const usr = join(dirname(squid), '..');
  const folder = await mkdtemp(join(tmpdir(), `squid-${site}-`));
  for (const file of [...helpers, 'share/squid/mime.conf']) {
    await copyFile(join(usr, file), join(folder, file.slice(file.lastIndexOf('/') + 1)));
  }
  const hosts = Object.entries(options.hosts).map(([name, address]) => `${address} ${name}\n`);
  await writeFile(join(folder, 'hosts'), hosts.join(''));
  await writeFile(join(folder, 'squid.conf'), configuration(folder));
  await writeFile(join(folder, 'passwords'), '');
  await run({ argv: ['chown', '--recursive', 'proxy', folder] });
  const setPassword = async (next: string): Promise<void> => {
    await run({ argv: ['htpasswd', '-b', join(folder, 'passwords'), user, next] });
  };
  const start = async (): Promise<void> => {
    const script = 'LD_LIBRARY_PATH="$1" exec "$2" -N -f "$3/squid.conf" </dev/null >"$3/out.log" 2>&1 &';
    const libraries = join(dirname(squid), ownLibraries);
    await bed.exec(site, ['sh', '-c', script, 'sh', libraries, squid, folder]);
    await waitFor({ what: `squid, see ${folder}` }, systemClock, async () => {
      const listening = ['ss', '--no-header', '--listening', '--tcp', `sport = :${port}`] as const;
      return (await bed.exec(site, listening)).stdout !== '';
    });
  };
  await setPassword(password);
  await start();
  await onlyWay(bed, site);
  return {
    setPassword,
    async restart() {
      const stop = 'pid=$(cat "$0"); kill -KILL "$pid"; rm "$0"; while kill -0 "$pid" 2>&-; do :; done';
      await bed.exec(site, ['sh', '-c', stop, join(folder, 'squid.pid')]);
      await start();
    },
  };
}
