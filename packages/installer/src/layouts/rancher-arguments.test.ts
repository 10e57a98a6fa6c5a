import { describe, expect, it } from 'vitest';
import type { NodeFacts } from '../facts/index.ts';
import { rancherConfig } from './rancher-arguments.ts';
import { recognize } from './recognize.ts';
import { type FactsParts, k3sNode, rke2Node, unitOf } from './testing-facts.ts';

const env = '/etc/systemd/system/k3s-agent.service.env';
const config = '/etc/rancher/k3s/config.yaml';
const part = (name: string): string => `${config}.d/${name}`;

const obstaclesOf = (facts: NodeFacts): readonly string[] => {
  const recognition = recognize(facts);
  if (recognition.kind === 'unknown') throw new Error(recognition.found.join('\n'));
  return recognition.layout.obstacles;
};
const started = (execStart: string, variables = ''): FactsParts => ({
  units: {
    'k3s-agent.service': unitOf(`[Service]\nExecStart=${execStart}\n`, { environmentFiles: [env] }),
  },
  files: { [env]: variables },
});
const written = (path: string, text: string): FactsParts => ({ files: { [path]: text } });

describe('an agent whose kubeconfig somebody chose is not converted', () => {
  const kubelet = (where: string, value = 'kubeconfig=/x'): string =>
    `its kubelet is told another kubeconfig: kubelet-arg ${value} in ${where}`;
  const unit = 'k3s-agent.service';

  it.each<[string, FactsParts, string]>([
    ['in one word', started('/usr/local/bin/k3s agent --kubelet-arg=kubeconfig=/x'), kubelet(unit)],
    ['in two words', started('/usr/local/bin/k3s agent --kubelet-arg kubeconfig=/x --v 2'), kubelet(unit)],
    ['with one hyphen', started('/usr/local/bin/k3s agent -kubelet-arg=kubeconfig=/x'), kubelet(unit)],
    ['in quotes', started('/usr/local/bin/k3s agent --kubelet-arg="kubeconfig=/x"'), kubelet(unit)],
    [
      'on lines of their own, as the installer of k3s writes them',
      started("/usr/local/bin/k3s \\\n    agent \\\n\t'--kubelet-arg' \\\n\t'kubeconfig=/x' \\\n"),
      kubelet(unit),
    ],
    [
      'with hyphens of its own',
      started('/usr/local/bin/k3s agent --kubelet-arg=--kubeconfig=/x'),
      kubelet(unit, '--kubeconfig=/x'),
    ],
    [
      'in a variable of the unit',
      started('/usr/local/bin/k3s agent $MORE\nEnvironment="MORE=--kubelet-arg kubeconfig=/x"'),
      kubelet(unit),
    ],
    [
      'in a file of variables',
      started(
        '/usr/local/bin/k3s agent $MORE',
        "K3S_URL='https://a:6443'\nMORE='--kubelet-arg=kubeconfig=/x'\n",
      ),
      kubelet(env),
    ],
    ['in config.yaml', written(config, 'kubelet-arg:\n- v=2\n- kubeconfig=/x\n'), kubelet(config)],
    ['as the only value there', written(config, 'kubelet-arg: kubeconfig=/x\n'), kubelet(config)],
    [
      'in a part of it',
      written(part('10-edge.yaml'), 'kubelet-arg+: [kubeconfig=/x]\n'),
      kubelet(part('10-edge.yaml')),
    ],
    [
      'for kube-proxy',
      written(config, 'kube-proxy-arg: [kubeconfig=/x]\n'),
      `its kube-proxy is told another kubeconfig: kube-proxy-arg kubeconfig=/x in ${config}`,
    ],
    [
      'by a part that is read after ours and drops it',
      written(part('zz.yaml'), 'kubelet-arg: [max-pods=50]\n'),
      `${part('zz.yaml')} is read after 99-selvedge.yaml and replaces its kubelet-arg: write kubelet-arg+ there`,
    ],
  ])('%s', (_what, parts, obstacle) => {
    expect(obstaclesOf(k3sNode(parts))).toEqual([obstacle]);
  });

  it('in the file that RKE2 is told of', () => {
    const files = { '/srv/rke2.yaml': 'kubelet-arg: [kubeconfig=/x]\n' };
    expect(obstaclesOf(rke2Node({ files }))).toEqual([kubelet('/srv/rke2.yaml')]);
  });
});

describe('an agent is converted', () => {
  it.each<[string, FactsParts]>([
    ['whose kubelet is told other things', started('/usr/local/bin/k3s agent --kubelet-arg=max-pods=50')],
    ['that has such a line as a comment', started('/usr/local/bin/k3s agent\n# --kubelet-arg=kubeconfig=/x')],
    [
      'with other values in its files, also in one that is read after ours and adds to it',
      {
        files: {
          [config]: 'kubelet-arg: [max-pods=50]\nnode-label: [kubeconfig=/x]\n',
          [part('zz.yaml')]: 'kubelet-arg+: [v=2]\n',
        },
      },
    ],
    ['that was converted before', written(part('99-selvedge.yaml'), 'kubelet-arg+: [kubeconfig=/ours]\n')],
    [
      'whose other configuration it does not read',
      written('/srv/k3s.yaml', 'kubelet-arg: [kubeconfig=/x]\n'),
    ],
    ['with a file that cannot be read', written(config, 'kubelet-arg: [')],
  ])('%s', (_what, parts) => {
    expect(obstaclesOf(k3sNode(parts))).toEqual([]);
  });
});

describe('the configuration of an agent', () => {
  const agent = { kind: 'k3s', unit: 'k3s-agent.service' } as const;

  it.each([
    ['where it is without being said', '/usr/local/bin/k3s agent', '', config],
    ['in a flag', '/usr/local/bin/k3s agent --config /srv/k3s.yaml', '', '/srv/k3s.yaml'],
    ['in a short flag', '/usr/local/bin/k3s agent -c /srv/k3s.yaml', '', '/srv/k3s.yaml'],
    [
      'on lines of its own, as the installer of k3s writes them',
      "/usr/local/bin/k3s \\\n    agent \\\n\t'--config' \\\n\t'/srv/k3s.yaml' \\\n",
      '',
      '/srv/k3s.yaml',
    ],
    ['not what its kubelet is told', '/usr/local/bin/k3s agent --kubelet-arg=--config=/x', '', config],
    [
      'not what another program is told',
      "/usr/local/bin/k3s agent\nExecStartPre=/bin/sh -c '/usr/bin/true'",
      '',
      config,
    ],
    [
      'in a variable, which goes before a flag',
      '/usr/local/bin/k3s agent --config /a.yaml',
      'K3S_CONFIG_FILE="/srv/k3s.yaml"\n',
      '/srv/k3s.yaml',
    ],
  ])('is %s', (_what, execStart, variables, path) => {
    expect(rancherConfig(k3sNode(started(execStart, variables)), agent)).toBe(path);
  });
});
