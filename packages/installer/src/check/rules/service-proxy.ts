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
        what: 'kube-proxy runs in nftables mode without an /etc/protocols',
        why: 'its nft prints protocols as numbers there, so that kube-proxy deletes all Services from its rules when it restarts, and stays healthy; convert restarts it, finds Services gone and puts the node back',
        mend: 'kube-proxy as a unit: apt-get install netbase (dnf install setup) on that machine; as a pod: an image with /etc/protocols, as the official one; or mode: iptables',
      })),
  ),
};
