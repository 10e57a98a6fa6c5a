import { type DevelopmentPackages, providePackages } from '@selvedge/hack/release';
import { processSetup } from '@selvedge/hack/setup';
import { edgeLiteUnit } from '@selvedge/installer/release';
import { resources } from '@selvedge/kube';
import type { Pod } from '@selvedge/kube/types';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { isReady, pod, runOf, running } from './support/pods.ts';
import { useSite } from './support/site.ts';

/** The Debian packages on a machine with systemd, whose node they take over. */
const site = useSite();
const node = 'machine-deb';
const config = '/etc/selvedge/edge-lite.yaml';
const state = '/var/lib/selvedge';

let packages: DevelopmentPackages;

const run = async (...argv: [string, ...string[]]): Promise<string> =>
  (await site.bed.exec(node, argv)).stdout.trim();
const property = async (name: string): Promise<string> =>
  run('systemctl', 'show', '--value', `--property=${name}`, 'edge-lite');
const isActive = async (): Promise<boolean> => (await property('ActiveState')) === 'active';
const exists = async (path: string): Promise<boolean> =>
  (await run('sh', '-c', 'test -e "$0" && echo there || echo gone', path)) === 'there';

const active = (): Promise<true> => site.until({ what: 'edge-lite is active' }, isActive);

/** What is so in the pod if edge-lite could mount its volumes, give them to a group and write into them. */
const whole = [
  'cat /secret/word /sub/word | grep openopen',
  'test "$(stat -c %g /memory)" = 2000',
  'test -g /memory',
  'grep " /memory tmpfs " /proc/mounts',
].join(' && ');

/** Ready if its volumes are whole. */
function podWithVolumes(name: string): Pod {
  return pod({
    name,
    node,
    securityContext: { fsGroup: 2000 },
    containers: [
      running('', {
        readinessProbe: { exec: { command: ['/bin/sh', '-c', whole] }, periodSeconds: 1 },
        volumeMounts: [
          { name: 'memory', mountPath: '/memory' },
          { name: 'secret', mountPath: '/secret' },
          { name: 'secret', mountPath: '/sub/word', subPath: 'word' },
        ],
      }),
    ],
    volumes: [
      { name: 'memory', emptyDir: { medium: 'Memory' } },
      { name: 'secret', secret: { secretName: 'words' } },
    ],
  });
}

/** `exposure`: as docs/tasks/install-packages.md says. A later systemd may look at more. */
async function verify(unit: string, exposure: number): Promise<void> {
  expect(await run('systemd-analyze', 'verify', unit)).toBe('');
  const threshold = `--threshold=${Math.round(exposure * 10 + 5)}`;
  await run('systemd-analyze', 'security', '--offline=true', '--no-pager', threshold, unit);
}

beforeAll(async () => {
  packages = await providePackages(processSetup());
  await site.bed.addNode({ name: node, kind: 'machine', agent: 'lite' });
  await site.create(resources.secrets, { metadata: { name: 'words' }, stringData: { word: 'open' } });
  await site.create(resources.pods, podWithVolumes('before'));
  await site.pod('before', { what: 'it is ready' }, isReady);
});
afterAll(() => site.bed.removeNode(node));

describe('the package of edge-lite', () => {
  const before = async (): Promise<unknown> => runOf(await site.get(resources.pods, 'before'));
  let containers: unknown;

  it('takes a node over: its unit is ready, and no container is started again', async () => {
    containers = await before();
    await run('systemctl', 'disable', '--now', 'edge-lite');
    await run('rm', '/etc/systemd/system/edge-lite.service');
    await run('systemctl', 'daemon-reload');
    await run('dpkg', '--install', packages.edgeLite);
    await active();
    expect(await property('FragmentPath')).toMatch(/^(\/usr)?\/lib\/systemd\/system\//);
    expect(await property('UnitFileState')).toBe('enabled');
    expect(await before()).toEqual(containers);
  });

  it('runs pods with volumes inside of its sandbox, and takes them away', async () => {
    await site.create(resources.pods, podWithVolumes('sandboxed'));
    await site.pod('sandboxed', { what: 'it is ready' }, isReady);
    await site.deletePod('sandboxed');
  });

  it('has a unit that systemd finds nothing wrong with', () =>
    verify('/usr/lib/systemd/system/edge-lite.service', 5.5));

  it('is started again by systemd when it hangs', async () => {
    const folder = '/run/systemd/system/edge-lite.service.d';
    await run('mkdir', '--parents', folder);
    await run('sh', '-c', `printf '[Service]\\nWatchdogSec=10\\n' > ${folder}/watchdog.conf`);
    await run('systemctl', 'daemon-reload');
    await run('systemctl', 'restart', 'edge-lite');
    const pid = await property('MainPID');
    await run('kill', '-STOP', pid);
    await site.until({ what: 'another edge-lite' }, async () => {
      const now = await property('MainPID');
      return now !== pid && now !== '0' && (await isActive());
    });
    await run('rm', '--recursive', folder);
    await run('systemctl', 'daemon-reload');
    expect(await before()).toEqual(containers);
  });

  it('is upgraded without starting a container again, and keeps what is the administrator’s', async () => {
    const pid = await property('MainPID');
    const written = await run('cat', config);
    await run('dpkg', '--install', packages.laterEdgeLite);
    await site.until({ what: 'another edge-lite' }, async () => (await property('MainPID')) !== pid);
    await active();
    expect(await run('dpkg-query', '--show', '--showformat=${Version}', 'edge-lite')).toBe('1.0.1');
    expect(await run('cat', config)).toBe(written);
    expect(await before()).toEqual(containers);
  });

  it('is a hub in a stricter sandbox beside a kubelet', async () => {
    const unit = '/etc/systemd/system/edge-lite.service';
    const { modules, ...others } = parse(await run('cat', config)) as { modules: object };
    const hubOnly = stringify({ ...others, modules: { ...modules, pods: undefined } });
    await run('cp', config, '/root/edge-lite.yaml');
    await run('sh', '-c', `cat > "$0" <<'end'\n${hubOnly}end`, config);
    const text = edgeLiteUnit({ role: 'hub', executable: '/usr/bin/edge-lite' });
    await run('sh', '-c', `cat > "$0" <<'end'\n${text}end`, unit);
    await verify(unit, 2.5);
    await run('systemctl', 'daemon-reload');
    await run('systemctl', 'restart', 'edge-lite');
    await active();
    expect(await run('ip', '-oneline', 'address', 'show', 'dev', 'lo')).toContain('169.254.77.1/32');
    expect(
      await run('sh', '-c', 'touch /proc/$0/root/usr/x 2>&1 || true', await property('MainPID')),
    ).toContain('Read-only file system');
    await run('rm', unit);
    await run('mv', '/root/edge-lite.yaml', config);
    await run('systemctl', 'daemon-reload');
    await run('systemctl', 'restart', 'edge-lite');
  });

  it('is removed, and what it ran goes on', async () => {
    await active();
    await run('dpkg', '--remove', 'edge-lite');
    expect(await isActive()).toBe(false);
    expect([await exists('/usr/bin/edge-lite'), await exists(config), await exists(state)]).toEqual([
      false,
      true,
      true,
    ]);
    const left = await site.bed.containers(node, { pod: 'before' });
    expect(left.map(({ state: is }) => is)).toEqual(['running']);
  });

  it('leaves nothing when it is purged, but volumes that are mounted', async () => {
    const purge = (): Promise<string> => run('sh', '/var/lib/dpkg/info/edge-lite.postrm', 'purge');
    await purge();
    expect([await exists(state), await exists(config)]).toEqual([true, false]);
    await run(
      'sh',
      '-c',
      `grep ' ${state}/' /proc/mounts | cut -d ' ' -f 2 | tac | xargs --max-args=1 umount`,
    );
    await run('dpkg', '--purge', 'edge-lite');
    // On machines of the bed it is a file system of its own.
    expect(await run('ls', '--almost-all', state)).toBe('');
    const known = ['systemctl', 'list-unit-files', '--no-legend', 'edge-lite.service'] as const;
    expect(await run('sh', '-c', `${known.join(' ')} || true`)).toBe('');
    expect(await run('sh', '-c', 'ls /etc/selvedge | grep edge-lite || true')).toBe('');
  });
});

describe('the package of selvedge', () => {
  it('brings the command and what completes it', async () => {
    await run('dpkg', '--install', packages.selvedge);
    expect(await run('selvedge', '--version')).toMatch(/^selvedge \d+\.\d+\.\d+/);
    await run('bash', '-n', '/usr/share/bash-completion/completions/selvedge');
    await run('dpkg', '--purge', 'selvedge');
    expect(await exists('/usr/bin/selvedge')).toBe(false);
  });
});
