import { type Rules, compareVersions, eachNode, inCluster, versionOf } from '../rule.ts';

/** Tested: docs/reference/findings.md. */
const tested = { from: '1.35', to: '1.36' } as const;
/** ValidatingAdmissionPolicies, which guard EdgeNodes, are of v1 since then. */
const oldest = '1.30';
/** Source: kubernetes.io "Version Skew Policy". */
const maxSkew = 3;

function runtimeOf(version: string): { readonly name: string; readonly version: string } {
  const [name = '', number = ''] = version.split('://');
  return { name, version: number };
}

export const versionRules: Rules = {
  'kubernetes-too-old': ({ cluster: { version } }) =>
    compareVersions(version, oldest) >= 0
      ? []
      : [
          {
            severity: 'error',
            where: inCluster,
            what: `the API server is ${version}`,
            why: `the admission policies that guard EdgeNodes and EdgeUnits need Kubernetes ${oldest}`,
            fix: `upgrade the cluster to ${tested.from} or later`,
          },
        ],
  'kubernetes-not-tested': ({ cluster: { version } }) => {
    if (compareVersions(version, oldest) < 0) return [];
    if (compareVersions(version, tested.from) >= 0 && compareVersions(version, tested.to) <= 0) return [];
    return [
      {
        severity: 'warning',
        where: inCluster,
        what: `the API server is ${version}`,
        why: `Selvedge is tested with Kubernetes ${tested.from} to ${tested.to}`,
        fix: 'try it on a test cluster, one node first',
      },
    ];
  },
  'kubelet-skew': eachNode(({ info }, { cluster }) => {
    const [kubelet, server] = [versionOf(info.kubeletVersion), versionOf(cluster.version)];
    if (kubelet === undefined || server === undefined) return [];
    const skew = server.minor - kubelet.minor;
    if (skew >= 0 && skew <= maxSkew) return [];
    return [
      {
        severity: 'error',
        what: `the kubelet is ${info.kubeletVersion}, the API server ${cluster.version}`,
        why:
          skew < 0
            ? 'a kubelet must not be newer than the API server'
            : `a kubelet may be at most ${maxSkew} minor versions older than the API server`,
        fix: skew < 0 ? 'upgrade the control plane first' : 'upgrade the kubelet',
      },
    ];
  }),
  'runtime-not-tested': eachNode(({ info }) => {
    const { name, version } = runtimeOf(info.containerRuntimeVersion);
    if (name === 'containerd' && compareVersions(version, '1.6') >= 0) return [];
    return [
      {
        severity: 'warning',
        what: `the container runtime is ${info.containerRuntimeVersion}`,
        why: 'Selvedge is tested with containerd 1.6 and later',
        fix: 'move the node to containerd 1.6 or later, or convert one such node first',
      },
    ];
  }),
  'kernel-old': eachNode(({ info }) => {
    if (info.kernelVersion === '' || compareVersions(info.kernelVersion, '5.4') >= 0) return [];
    return [
      {
        severity: 'warning',
        what: `the kernel is ${info.kernelVersion}`,
        why: 'Selvedge is tested with kernels from 5.4; older ones may lack nftables features',
        fix: "upgrade the machine's operating system",
      },
    ];
  }),
};
