import { labels } from '@selvedge/api';
import { egressConfigFile, manifestFile } from './egress/manifest.ts';
import { placeKey } from './inventory/index.ts';
import type { CloudChange } from './types.ts';
import { egressSocket, paths } from './beside-api-server/config.ts';

interface Described {
  /** Begins with a verb. */
  readonly what: string;
  readonly detail: readonly string[];
}

function machineText({ phase, renew }: Extract<CloudChange, { kind: 'machine' }>): Described {
  if (phase === 'egress') {
    const why = renew
      ? ', which has no edit of an earlier run any more, for example after kubeadm upgrade'
      : '';
    return {
      what: `route its API server through cloud-manager: edit ${manifestFile}${why}, and wait until it is ready again`,
      detail: [`create ${egressConfigFile}`, 'undone automatically if the API server does not become ready'],
    };
  }
  if (renew) return { what: 'renew the certificate of cloud-manager, which reloads it', detail: [] };
  return {
    what: 'run cloud-manager as a systemd unit',
    detail: [
      `create ${paths.program}, ${paths.unit}, ${paths.folder} and a system user`,
      `socket ${egressSocket}`,
    ],
  };
}

/** A change in words. Pure. */
export function describeChange(change: CloudChange): Described {
  switch (change.kind) {
    case 'object':
      return {
        what: `${change.what === 'make' ? 'create' : 'change'} ${placeKey(change.place)}`,
        detail: change.detail,
      };
    case 'certificate': {
      const { signer, names, why } = change;
      const by = signer.kind === 'own' ? 'a CA of its own' : `the cluster CA, on ${signer.machine.name}`;
      return {
        what: `create the tunnel certificate, signed by ${by}`,
        detail: [`for ${names.join(', ')}`, why],
      };
    }
    case 'zone':
      return {
        what: `add the zone nodes.selvedge to ${placeKey(change.zone.place)}`,
        detail: change.text.trimEnd().split('\n'),
      };
    case 'machine':
      return machineText(change);
    case 'edge':
      return { what: `label Node ${change.node} as an edge node: ${labels.nodeEdge}`, detail: [] };
    case 'ready':
      return { what: 'wait until cloud-manager is ready', detail: [] };
    case 'record':
      return { what: 'record what was installed in ConfigMap selvedge-system/selvedge-install', detail: [] };
  }
}

/** The same in one line that stands alone: which machine, too. Pure. */
export function titleOf(change: CloudChange): string {
  const { what } = describeChange(change);
  return change.kind === 'machine' ? `${change.machine.name}: ${what}` : what;
}
