import { SelvedgeError } from '@selvedge/kit';
import { nodesZone } from '../gen/sources.ts';

const [first, last] = ['# BEGIN selvedge', '# END selvedge'] as const;

/** The zone as CoreDNS reads it: names of kubelets lead to cloud-manager. Source: deploy/dns/nodes.selvedge.corefile. */
export const zoneBlock = (clusterDomain: string): string =>
  `${first}\n${nodesZone.replaceAll('svc.cluster.local.', `svc.${clusterDomain}.`)}${last}\n`;

/** What is added at the end of a Corefile for the zone to be in it; empty: it is there. Throws `Conflict` if somebody changed it. Pure. */
export function zoneAddition(corefile: string, clusterDomain: string): string {
  const block = zoneBlock(clusterDomain);
  if (corefile.includes(block)) return '';
  if (corefile.includes(first) || /^\s*nodes\.selvedge\b/m.test(corefile)) {
    throw new SelvedgeError(
      'the Corefile already has a zone nodes.selvedge that selvedge did not write, or that was edited since',
      {
        code: 'Conflict',
        hint: 'remove it with kubectl -n kube-system edit configmap coredns, or use --no-dns',
      },
    );
  }
  return corefile === '' || corefile.endsWith('\n') ? block : `\n${block}`;
}

/** The text without what was added to it. Throws `Conflict` if somebody changed that. Pure. */
export function withoutAddition(text: string, addition: string): string {
  const at = text.indexOf(addition);
  if (at >= 0) return text.slice(0, at) + text.slice(at + addition.length);
  if (!text.includes(first)) return text;
  throw new SelvedgeError('the zone nodes.selvedge in the Corefile was changed by hand', {
    code: 'Conflict',
    hint: `remove the lines from "${first}" to "${last}" by hand, then run the same command again`,
  });
}

/** The domain of the cluster, as CoreDNS's plugin kubernetes is told. */
export const clusterDomainOf = (corefile: string): string =>
  /^\s*kubernetes\s+([^\s{]+)/m.exec(corefile)?.[1] ?? 'cluster.local';
