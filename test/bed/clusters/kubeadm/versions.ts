/** A registry that does not exist: every image is imported. */
export const imageRepository = 'images.selvedge.test/kubeadm';

/**
 * The tags that kubeadm asks for. The program of CoreDNS is the one that we build, 1.14.7, under the tag that `kubeadm upgrade` knows the
 * configuration of. Source: kubeadm, `app/constants`.
 */
export const tags = {
  kubernetes: 'v1.36.3',
  etcd: '3.6.8-0',
  coredns: 'v1.14.2',
  pause: '3.10.2',
} as const;

/** The images of a control plane, and those of every node. */
export const imageNames = {
  controlPlane: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd'],
  node: ['kube-proxy', 'coredns', 'pause'],
} as const;

export type KubeadmImage = (typeof imageNames)[keyof typeof imageNames][number];

export function kubeadmRef(name: KubeadmImage): string {
  const tag = name in tags ? tags[name as keyof typeof tags] : tags.kubernetes;
  return `${imageRepository}/${name}:${tag}`;
}
