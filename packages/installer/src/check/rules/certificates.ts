import { certificatesOf } from '@selvedge/kit/x509';
import type { SeenMachine } from '../facts.ts';
import { type Rules, eachMachine, inCluster } from '../rule.ts';

const dayMs = 24 * 60 * 60_000;
const soonMs = 14 * dayMs;
/** Within the time in which convert renews it. */
const tunnelSoonMs = 90 * dayMs;
const caSoonMs = 365 * dayMs;

/** Where kubelets keep what they show to the API server: kubeadm and plain units, k3s and RKE2. */
const clientFile = /kubelet-client-current\.pem$|client-kubelet\.crt$/;
const configFile = /kubelet.*\.(?:ya?ml|json|conf)$|kubelet\/config/;

/** When the last certificate of a text ends; undefined if there is none that can be read. */
function endOf(text: string): number | undefined {
  try {
    const ends = certificatesOf(text).map(({ validToDate }) => validToDate.getTime());
    return ends.length === 0 ? undefined : Math.max(...ends);
  } catch {
    return undefined;
  }
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** k3s and RKE2 make new ones at their start, kubelets where they are told to. */
function isRenewed({ facts, recognition }: SeenMachine): boolean {
  if (recognition.kind === 'known' && ['k3s', 'rke2'].includes(recognition.layout.kind)) return true;
  const texts = Object.entries(facts.files).map(([path, { text }]) =>
    configFile.test(path) ? (text ?? '') : '',
  );
  const argv = facts.processes.flatMap((one) => (one.program === 'kubelet' ? one.argv : []));
  return (
    texts.some((text) => /rotateCertificates"?:\s*true/.test(text)) ||
    argv.some((word) => /^--rotate-certificates(?:=true)?$/.test(word))
  );
}

function clientEnds({ facts }: SeenMachine): readonly number[] {
  const found = Object.entries(facts.certificates).filter(([path]) => clientFile.test(path));
  return found.map(([, { notAfterMs }]) => notAfterMs);
}

export const certificateRules: Rules = {
  'ca-ends': ({ cluster: { ca, nowMs } }) => {
    const end = endOf(ca ?? '');
    if (end === undefined || end - nowMs > caSoonMs) return [];
    return [
      {
        severity: end <= nowMs + soonMs ? 'error' : 'warning',
        where: inCluster,
        what: `the cluster CA expires on ${dayOf(end)}`,
        why: 'all nodes trust it; a node that is offline at that time does not learn of the new CA',
        fix: 'rotate it while every node is connected: kubernetes.io, "Manual Rotation of CA Certificates"',
      },
    ];
  },
  'tunnel-certificate-ends': ({ cluster: { cloud, nowMs } }) => {
    const end =
      cloud.kind === 'none' ? undefined : cloud.certificate && Date.parse(cloud.certificate.notAfter);
    if (end === undefined || end - nowMs > tunnelSoonMs) return [];
    return [
      {
        severity: end <= nowMs + soonMs ? 'error' : 'warning',
        where: inCluster,
        what: `the certificate of the tunnel ${end <= nowMs ? 'expired' : 'expires'} on ${dayOf(end)}`,
        why: 'no node connects any more after that: nothing reaches edge nodes, and those with a single outbound port are cut off',
        fix: 'run selvedge convert with the same options, which renews it without a restart; one of your own (cert-manager) renew where it comes from',
      },
    ];
  },
  'kubelet-certificate-ends': eachMachine((machine, _node, { cluster: { nowMs } }) =>
    clientEnds(machine)
      .filter((end) => end <= nowMs || (end - nowMs < soonMs && !isRenewed(machine)))
      .map((end) => ({
        severity: 'error' as const,
        what: `the kubelet's client certificate ${end <= nowMs ? 'expired' : 'expires'} on ${dayOf(end)}`,
        why: 'edge-lite starts with a copy of it, and the node cannot authenticate without a valid one',
        fix: 'kubeadm: docs/tasks/troubleshooting.md, "A certificate ended"; k3s, RKE2: restart the agent',
      })),
  ),
  'kubelet-certificate-not-renewed': eachMachine((machine) =>
    clientEnds(machine).length === 0 || isRenewed(machine)
      ? []
      : [
          {
            severity: 'warning',
            what: "the kubelet's client certificate is not rotated automatically",
            why: 'the kubelet stops working when it expires; edge-lite renews its own copy',
            fix: "set rotateCertificates: true in the kubelet's configuration",
          },
        ],
  ),
};
