import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { systemClock } from '@selvedge/kit';
import { describe, expect, it } from 'vitest';
import { createLocalHost } from '../host/index.ts';
import { certificates } from '../layouts/testing-certificates.ts';
import { flagOf } from './flags.ts';
import { osRelease, portOf } from './formats.ts';
import { gatherFacts } from './gather.ts';
import { maskArguments, maskSecrets } from './mask.ts';
import { namedFiles } from './named-files.ts';
import { surveyScript } from './script.ts';
import { parseFiles, parseSurvey } from './survey.ts';

const { signal } = new AbortController();
const host = createLocalHost({ clock: systemClock });
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('a machine that is looked at', () => {
  it('tells what it is', async () => {
    const before = Date.now();
    const facts = await gatherFacts(host, signal);
    expect(facts).toMatchObject({
      hostname: hostname(),
      kernel: release(),
      folders: expect.arrayContaining(['/etc']),
    });
    expect(facts.timeMs).toBeGreaterThanOrEqual(before - 1_000);
    expect(facts.memoryBytes).toBeGreaterThan(2 ** 27);
    expect(facts.disks.map(({ path }) => path)).toContain('/var/lib');
    expect(facts.addresses).toContain('127.0.0.1');
    expect(facts.programs).toMatchObject({ awk: expect.stringMatching(/^\//) });
    expect(facts.os.id).not.toBe('');
  });

  it('shows files with their certificates, and never a key', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'selvedge-facts-'));
    try {
      const pem = join(folder, 'client.pem');
      const key = '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----\n';
      await writeFile(pem, certificates.kubelet + key, { mode: 0o600 });
      const large = join(folder, 'large');
      await writeFile(large, 'x'.repeat(100_000));
      const argv = ['sh', '-c', surveyScript, 'sh', pem, join(folder, 'none'), large] as const;
      const { stdout } = await host.run({ argv: [...argv] }, signal);
      const { files, certificates: found } = parseFiles(stdout.toString());
      expect(files[pem]).toMatchObject({ mode: 0o600, text: certificates.kubelet });
      expect(Object.keys(files)).toEqual([pem, large]);
      expect(files[large]).toMatchObject({ bytes: 100_000 });
      expect(files[large]).not.toHaveProperty('text');
      expect(found[pem]).toMatchObject({ commonName: 'system:node:shop-1', issuer: 'kubernetes' });
      expect(stdout.toString()).not.toContain(base64('MHcCAQEE').slice(0, 8));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('is read from what the script prints, whatever units and programs are there', () => {
    const shown =
      'LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nFragmentPath=/usr/lib/systemd/system/kubelet.service\nDropInPaths=/etc/a.conf /etc/b.conf\nEnvironmentFiles=/var/lib/kubelet/kubeadm-flags.env (ignore_errors=yes)\nEnvironmentFiles=/etc/default/kubelet (ignore_errors=yes)\nMainPID=812\n';
    const lines = [
      `unit\tkubelet.service\t${base64(shown)}\t${base64('[Service]\nEnvironment=K3S_TOKEN=abc\n')}`,
      `unit\tyurthub.service\t${base64('ActiveState=active\n')}\t`,
      `process\t812\t${base64('/usr/bin/kubelet\0--kubeconfig=/etc/kubernetes/kubelet.conf\0--token\0abc\0')}`,
      `process\t813\t${base64('/usr/local/bin/kube-proxy\0')}`,
      'no-protocols\t813',
      'port\t0100007F:2A66',
      'feature\toverlay',
      'cgroup\tcgroup2fs',
      'cni-binaries\t/opt/cni/bin\tbridge\tloopback',
      'folder\t/etc/kubeedge',
      'memory\t1000\t2000',
      'journal',
    ];
    expect(parseSurvey(`${lines.join('\n')}\n`)).toMatchObject({
      units: {
        'kubelet.service': {
          activeState: 'active',
          dropIns: ['/etc/a.conf', '/etc/b.conf'],
          environmentFiles: ['/var/lib/kubelet/kubeadm-flags.env', '/etc/default/kubelet'],
          text: '[Service]\nEnvironment=K3S_TOKEN=xxx\n',
          mainPid: 812,
        },
      },
      processes: [
        {
          pid: 812,
          program: 'kubelet',
          argv: ['/usr/bin/kubelet', '--kubeconfig=/etc/kubernetes/kubelet.conf', '--token', 'xxx'],
        },
        { pid: 813, program: 'kube-proxy', lacksProtocols: true },
      ],
      ports: [{ address: '127.0.0.1', port: 10_854 }],
      features: { overlay: true, brNetfilter: false },
      cgroupVersion: 2,
      cni: { binaries: { '/opt/cni/bin': ['bridge', 'loopback'] } },
      memoryBytes: 1_024_000,
      swapBytes: 2_048_000,
      selvedge: { journal: true, otherAgents: ['yurthub', 'edgecore'] },
    });
  });

  it('is asked for what is named there', () => {
    const kubeconfig = `clusters: [{name: c, cluster: {server: 'https://a:1', certificate-authority: /ca.crt}}]
users: [{name: u, user: {client-certificate: c.pem, client-key: c.pem}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`;
    const argv = '/k/kubelet\0--kubeconfig=/k/conf\0--config\0/k/config.yaml\0';
    const facts = parseSurvey(
      `process\t1\t${base64(argv)}\nfile\t/k/conf\t600\t0\t0\t1\tab\t${base64(kubeconfig)}\n`,
    );
    expect(namedFiles(facts)).toEqual(['/k/conf', '/k/config.yaml', '/ca.crt', '/k/c.pem']);
  });
});

describe('secrets', () => {
  const key = base64('-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\n');
  it.each([
    ['a key in a kubeconfig', `    client-key-data: ${key}\n`, key],
    ['a key in a block', `  - client-key-data: |\n      QUJD\n      REVG\n    other: x\n`, 'QUJD'],
    ['a key in base64 wherever it is', `some: {"thing": "${key}"}`, key],
    ['a key as PEM', '-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n', 'QUJD'],
    ['a token', '  token: eyJhbGciOi\n', 'eyJhbGciOi'],
    ['a token in JSON', '{"token": "eyJhbGciOi", "x": 1}', 'eyJhbGciOi'],
    ['a token of k3s', "K3S_TOKEN='K10ab::server:cd'\n", 'K10ab::server:cd'],
    ['a token in a unit', 'ExecStart=/usr/local/bin/k3s agent --token K10ab\n', 'K10ab'],
    ['a password', 'agent-password: "hunter2"\n', 'hunter2'],
  ])('are not in facts: %s', (_what, text, secret) => {
    const masked = maskSecrets(text);
    expect(masked).not.toContain(secret);
    expect(masked).toHaveLength(text.length);
    expect(masked.split('\n').map((line) => line.length)).toEqual(
      text.split('\n').map((line) => line.length),
    );
  });

  it.each([
    'tokenFile: /var/run/secrets/token\n',
    'certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t\n',
    '--token-auth-file=/etc/tokens.csv --tls-private-key-file=/etc/tls.key\n',
    'server: https://10.0.0.1:6443\n',
  ])('are not seen where none are: %j', (text) => {
    expect(maskSecrets(text)).toBe(text);
  });

  it('are not in arguments', () => {
    const argv = ['k3s', 'agent', '-t', 'K10ab', '--token=cd', '--server', 'https://a:6443'];
    expect(maskArguments(argv)).toEqual([
      'k3s',
      'agent',
      '-t',
      'xxxxx',
      '--token=xx',
      '--server',
      'https://a:6443',
    ]);
  });

  property.prop([fc.string({ unit: 'binary' })])('are masked in place, in any text', (text) => {
    expect(maskSecrets(text)).toHaveLength(text.length);
  });
});

describe('formats', () => {
  it.each([
    ['00000000:1F90', '0.0.0.0', 8_080],
    ['0100007F:281E', '127.0.0.1', 10_270],
    ['00000000000000000000000000000000:0016', '::', 22],
    ['00000000000000000000000001000000:0050', '::1', 80],
    ['0000000000000000FFFF00000100007F:01BB', '::ffff:7f00:1', 443],
  ])('the kernel’s %s is %s', (text, address, port) => {
    expect(portOf(text)).toEqual({ address, port });
  });

  it('os-release has values with and without quotes', () => {
    expect(osRelease('ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')).toEqual({
      id: 'debian',
      version: '12',
      name: 'Debian GNU/Linux 12 (bookworm)',
    });
  });

  it.each([
    [['--a=1', '--b', '2', '--a=3'], 'a', '3'],
    [['--a=1', '--b', '2'], 'b', '2'],
    [['--ab=1'], 'a', undefined],
    [['--a='], 'a', ''],
  ])('of the flags %j, %s is %s', (argv, name, value) => {
    expect(flagOf(argv, name)).toBe(value);
  });
});
