import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, it, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { editedText, redirectKubeconfig } from './kubeconfig-edit.ts';
import { parseKubeconfig } from './kubeconfig.ts';

const target = { server: 'https://127.0.0.1:10270', certificateAuthority: '/pki/hub-ca.crt' };
const led = (text: string): string => editedText(text, redirectKubeconfig(text, target) ?? []);

/** As kubeadm writes it. */
const kubeadm = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t
    server: https://10.0.0.10:6443
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: system:node:shop-1
  name: system:node:shop-1@kubernetes
current-context: system:node:shop-1@kubernetes
kind: Config
users:
- name: system:node:shop-1
  user:
    client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem
    client-key: /var/lib/kubelet/pki/kubelet-client-current.pem
`;

describe('a kubeconfig that is led elsewhere', () => {
  it('changes in the lines of server and authority, and in no others', () => {
    expect(redirectKubeconfig(kubeadm, target)).toEqual([
      {
        at: kubeadm.indexOf('certificate-authority-data'),
        old: 'certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t',
        new: 'certificate-authority: /pki/hub-ca.crt',
      },
      {
        at: kubeadm.indexOf('server'),
        old: 'server: https://10.0.0.10:6443',
        new: 'server: https://127.0.0.1:10270',
      },
    ]);
    const lines = kubeadm.split('\n');
    lines[3] = '    certificate-authority: /pki/hub-ca.crt';
    lines[4] = '    server: https://127.0.0.1:10270';
    expect(led(kubeadm).split('\n')).toEqual(lines);
  });

  it('is left alone if it leads there', () => {
    expect(redirectKubeconfig(led(kubeadm), target)).toEqual([]);
  });

  it('keeps its authority if none is given', () => {
    const changes = redirectKubeconfig(kubeadm, { server: target.server });
    expect(changes?.map((one) => one.new)).toEqual(['server: https://127.0.0.1:10270']);
  });

  it.each([
    ['in JSON', JSON.stringify(parse(kubeadm))],
    ['with ends of lines as DOS has them', kubeadm.replaceAll('\n', '\r\n')],
    ['with quotes', kubeadm.replace('https://10.0.0.10:6443', "'https://10.0.0.10:6443' # the balancer")],
    ['with a file', kubeadm.replace('authority-data: LS0t', 'authority: /etc/ca.crt #')],
    ['without an authority', kubeadm.replace(/^.*authority-data.*\n/m, '')],
    ['with both', kubeadm.replace('    server', '    certificate-authority: /etc/ca.crt\n    server')],
    ['with a name for TLS', kubeadm.replace('    server', '    tls-server-name: api.example\n    server')],
    ['with text in a block', kubeadm.replace('data: LS0t', 'data: |\n      LS0t')],
    ['with all on one line', `{${stringify(parse(kubeadm), { collectionStyle: 'flow' }).trim().slice(1)}\n`],
  ])('%s leads there, and says the rest as before', (_what, text) => {
    const access = parseKubeconfig(led(text), { folder: '/' });
    expect(access.server).toBe(target.server);
    expect(access.credentials.certificateAuthority).toEqual({ file: target.certificateAuthority });
    expect(access.serverName ?? '127.0.0.1').toBe('127.0.0.1');
    const { clusters: _before, ...before } = parse(text);
    const { clusters: _after, ...after } = parse(led(text));
    expect(after).toEqual(before);
    expect(redirectKubeconfig(led(text), target)).toEqual([]);
  });

  it('goes through no proxy, and verifies whom it talks to', () => {
    const text = kubeadm.replace(
      '    server',
      '    proxy-url: http://proxy:3128\n    insecure-skip-tls-verify: true\n    server',
    );
    const [entry] = parse(led(text)).clusters;
    expect(entry.cluster).toMatchObject({ 'proxy-url': '', 'insecure-skip-tls-verify': false });
  });

  it.each([
    ['is no YAML', 'a: [1'],
    ['is a word', 'kubeconfig'],
    ['is empty', ''],
    ['has no current context', kubeadm.replace(/^current-context.*$/m, '')],
    [
      'names a cluster twice',
      kubeadm.replace('contexts:', '- cluster: {server: x}\n  name: kubernetes\ncontexts:'),
    ],
    ['has no server', kubeadm.replace(/^ *server.*$/m, '')],
    ['has an alias for its server', kubeadm.replace('https://10.0.0.10:6443', '*server')],
  ])('is refused if it %s', (_what, text) => {
    expect(redirectKubeconfig(text, target)).toBeUndefined();
  });
});

const word = fc.stringMatching(/^[a-z][a-z0-9.-]{0,12}$/);
/** Lines that people leave in files, which mean nothing. */
const noise = fc.constantFrom('', '# by hand', '  ', '#    server: https://elsewhere:1');
const kubeconfigs = fc.record({
  names: fc.uniqueArray(word, { minLength: 1, maxLength: 4 }),
  noise: fc.array(noise),
});

property.prop([kubeconfigs, fc.nat()])(
  'only the cluster of the current context changes',
  ({ names, noise: lines }, at) => {
    const current = names[at % names.length] ?? '';
    const document = stringify({
      kind: 'Config',
      clusters: names.map((name) => ({
        name,
        cluster: { server: `https://${name}:6443`, 'certificate-authority': '/ca' },
      })),
      contexts: names.map((name) => ({ name: `at-${name}`, context: { cluster: name, user: 'me' } })),
      'current-context': `at-${current}`,
    });
    const text = document
      .split('\n')
      .flatMap((line, number) => (number % 2 === 0 ? [lines[number] ?? '', line] : [line]))
      .join('\n');
    const [before, after] = [text.split('\n'), led(text).split('\n')];
    expect(after).toHaveLength(before.length);
    const changed = after.filter((line, number) => line !== before[number]).map((line) => line.trim());
    expect(changed).toEqual(['server: https://127.0.0.1:10270', 'certificate-authority: /pki/hub-ca.crt']);
  },
);

test('positions of several edits are those of the text before', () => {
  const edits = [
    { at: 0, old: '', new: 'now ' },
    { at: 0, old: 'one', new: 'eleven' },
    { at: 4, old: 'two', new: '' },
  ];
  expect(editedText('one two three', edits)).toBe('now eleven  three');
});
