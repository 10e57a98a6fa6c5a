import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { changeText } from '../../steps/text-changes.ts';
import { apiServerPort, egressOf, manifestChanges } from './manifest.ts';
import { kubeadmManifest } from './testing-manifest.ts';

interface Pod {
  readonly spec: {
    readonly containers: readonly [
      { readonly command: readonly string[]; readonly volumeMounts: readonly object[] },
    ];
    readonly volumes: readonly object[];
  };
}

const edited = (text: string): string => changeText(text, manifestChanges(text));
const linesAdded = (before: string, after: string): readonly string[] => {
  const old = new Set(before.split('\n'));
  return after.split('\n').filter((line) => !old.has(line));
};

describe('the manifest of an API server', () => {
  test('gets two flags and two volumes, and every other line stays', () => {
    const text = edited(kubeadmManifest);
    const kept = kubeadmManifest.split('\n').filter((line) => !line.includes('preferred-address-types'));
    const rest = text.split('\n');
    expect(kept.every((line) => rest.includes(line))).toBe(true);
    expect(linesAdded(kubeadmManifest, text)).toMatchInlineSnapshot(`
      [
        "    - --kubelet-preferred-address-types=Hostname,InternalIP",
        "    - --egress-selector-config-file=/etc/kubernetes/egress-selector.yaml",
        "    - mountPath: /run/selvedge",
        "      name: selvedge-egress",
        "    - mountPath: /etc/kubernetes/egress-selector.yaml",
        "      name: selvedge-egress-config",
        "      path: /run/selvedge",
        "    name: selvedge-egress",
        "      path: /etc/kubernetes/egress-selector.yaml",
        "      type: File",
        "    name: selvedge-egress-config",
      ]
    `);
    const { spec } = parse(text) as Pod;
    expect(spec.containers[0].command.slice(-2)).toEqual([
      '--tls-private-key-file=/etc/kubernetes/pki/apiserver.key',
      '--egress-selector-config-file=/etc/kubernetes/egress-selector.yaml',
    ]);
    expect(spec.containers[0].volumeMounts).toContainEqual({
      mountPath: '/run/selvedge',
      name: 'selvedge-egress',
      readOnly: true,
    });
    expect(spec.volumes).toHaveLength(4);
    expect([egressOf(kubeadmManifest), egressOf(text)]).toEqual(['none', 'ours']);
  });

  test('that asks for names already keeps that flag', () => {
    const asks = kubeadmManifest.replace('InternalIP,ExternalIP,Hostname', 'Hostname,InternalIP');
    expect(linesAdded(asks, edited(asks)).join('\n')).not.toContain('preferred');
  });

  test('says its port', () => {
    expect(apiServerPort(kubeadmManifest)).toBe(6_443);
    expect(apiServerPort(kubeadmManifest.replace('    - --secure-port=6443\n', ''))).toBe(6_443);
    expect(apiServerPort(kubeadmManifest.replace('=6443', '=8443'))).toBe(8_443);
  });

  test.each([
    ['is no YAML', 'spec: ['],
    ['is no pod', 'kind: Pod\n'],
    [
      'has another container',
      kubeadmManifest.replace('name: kube-apiserver\n    volumeMounts', 'name: other\n    volumeMounts'),
    ],
    [
      'has its command in one line',
      kubeadmManifest.replace(/command:\n(    - .*\n)+/, 'command: [kube-apiserver]\n'),
    ],
    [
      'has an egress selector',
      kubeadmManifest.replace('--allow-privileged=true', '--egress-selector-config-file=/x'),
    ],
    ['has no volumes', kubeadmManifest.replace(/ {2}volumes:\n( {2}[- ].*\n)+/, '')],
  ])('that %s is refused', (_what, text) => {
    expect(() => manifestChanges(text)).toThrow(expect.objectContaining({ code: 'Unsupported' }));
  });

  const flag = fc.stringMatching(/^--[a-z-]{1,20}=[a-z0-9,./]{1,20}$/);
  const shape = fc.record({
    flags: fc.array(flag, { maxLength: 6 }),
    quoted: fc.boolean(),
    order: fc.boolean(),
    indented: fc.boolean(),
    ends: fc.boolean(),
    comment: fc.boolean(),
  });

  property.prop([shape])('is the same pod but for what is added, however it is written', (of) => {
    const item = of.indented ? '      ' : '    ';
    const flags = of.flags.map((one) => `${item}- ${of.quoted ? JSON.stringify(one) : one}\n`).join('');
    const command = `    command:\n${item}- kube-apiserver\n${flags}${of.comment ? `${item}# a comment\n` : ''}`;
    const mounts = `    volumeMounts:\n${item}- mountPath: /a\n${item}  name: a\n`;
    const inner = of.order ? [command, mounts] : [mounts, command];
    const containers = `  containers:\n  - name: kube-apiserver\n${inner.join('')}`;
    const volumes = '  volumes:\n  - name: a\n    emptyDir: {}\n';
    const body = of.order ? `${containers}${volumes}` : `${volumes}${containers}`;
    const whole = `spec:\n${body}`;
    const text = of.ends ? whole : whole.slice(0, -1);
    const before = (parse(text) as Pod).spec;
    const after = (parse(edited(text)) as Pod).spec;
    const [was, is] = [before.containers[0], after.containers[0]];
    expect(is.command.slice(0, was.command.length)).toEqual(was.command);
    expect(is.command.slice(was.command.length)).toEqual([
      '--egress-selector-config-file=/etc/kubernetes/egress-selector.yaml',
      '--kubelet-preferred-address-types=Hostname,InternalIP',
    ]);
    expect(is.volumeMounts.slice(0, 1)).toEqual(was.volumeMounts);
    expect([is.volumeMounts.length, after.volumes.length]).toEqual([3, 3]);
    expect(after.volumes.slice(0, 1)).toEqual(before.volumes);
  });
});
