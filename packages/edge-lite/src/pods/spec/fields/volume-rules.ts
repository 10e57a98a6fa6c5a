import type {
  EmptyDirVolumeSource,
  ProjectedVolumeSource,
  Volume,
  VolumeProjection,
} from '@selvedge/kube/types';

import { type Rules, below, noted, only, refused, supported } from './rule.ts';

const remote = refused('storage outside of the node');
const claim = refused('persistent volumes');

const projection = {
  clusterTrustBundle: refused('cluster trust bundles'),
  configMap: supported,
  downwardAPI: supported,
  podCertificate: refused('pod certificates'),
  secret: supported,
  serviceAccountToken: noted(
    'renewed at 80 % of its life, at the latest after a day; kept while the cloud is away',
  ),
} satisfies Rules<VolumeProjection>;

/** The kinds of volumes that edge nodes have. */
export const volume = below({
  name: supported,
  emptyDir: below({
    medium: only('', 'Memory'),
    sizeLimit: noted('enforced for `Memory`'),
  } satisfies Rules<EmptyDirVolumeSource>),
  hostPath: supported,
  configMap: supported,
  secret: noted('kept in memory, never on the disk'),
  downwardAPI: supported,
  projected: below({
    defaultMode: supported,
    sources: below(projection),
  } satisfies Rules<ProjectedVolumeSource>),
  persistentVolumeClaim: claim,
  ephemeral: claim,
  csi: claim,
  image: refused('image volumes'),
  gitRepo: refused('deprecated'),
  flexVolume: refused('deprecated'),
  awsElasticBlockStore: remote,
  azureDisk: remote,
  azureFile: remote,
  cephfs: remote,
  cinder: remote,
  fc: remote,
  flocker: remote,
  gcePersistentDisk: remote,
  glusterfs: remote,
  iscsi: remote,
  nfs: remote,
  photonPersistentDisk: remote,
  portworxVolume: remote,
  quobyte: remote,
  rbd: remote,
  scaleIO: remote,
  storageos: remote,
  vsphereVolume: remote,
} satisfies Rules<Volume>);
