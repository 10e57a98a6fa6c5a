import { type NodeFacts, type ProcessFacts, flagOf } from '../../facts/index.ts';
import { type CheckFacts } from '../facts.ts';
import { type Rules, eachMachine } from '../rule.ts';

/** `nftables`, as its flags say it, else its file on the machine, else the cluster for all nodes. */
function modeOf(
  { argv }: ProcessFacts,
  { files }: NodeFacts,
  { kubeProxyMode }: CheckFacts['cluster'],
): string {
  const text = files[flagOf(argv, 'config') ?? '']?.text ?? '';
  const [, inFile] = /^mode:\s*"?(\w+)"?\s*$/m.exec(text) ?? [];
  return flagOf(argv, 'proxy-mode') ?? inFile ?? kubeProxyMode ?? '';
}

export const serviceProxyRules: Rules = {
  // It reads its elements back when it starts: those with a number in place of `tcp` are none of its own, and it deletes them.
  'kube-proxy-loses-services': eachMachine(({ facts }, _node, { cluster }) =>
    facts.processes
      .filter(({ program, lacksProtocols }) => program === 'kube-proxy' && lacksProtocols === true)
      .filter((process) => modeOf(process, facts, cluster) === 'nftables')
      .map(() => ({
        severity: 'warning',
        what: 'kube-proxy runs in nftables mode without /etc/protocols',
        why: 'without that file nft prints protocols as numbers, so kube-proxy deletes all Services from its rules when it restarts, and still reports healthy. convert restarts it, notices that Services are gone, and rolls the node back',
        fix: 'if kube-proxy is a unit, run apt-get install netbase (or dnf install setup) on that machine; if it is a pod, use an image with /etc/protocols, such as the official one; or set mode: iptables',
      })),
  ),
};
