import { labels } from '@selvedge/api';
import { egressConfigFile, manifestFile } from './egress/manifest.ts';
import { placeKey } from './inventory/index.ts';
import type { CloudChange } from './types.ts';
import { egressSocket, paths } from './unit/config.ts';

interface Described {
  /** Begins with a verb. */
  readonly what: string;
  readonly detail: readonly string[];
}

function machineText({ phase, renew }: Extract<CloudChange, { kind: 'machine' }>): Described {
  if (phase === 'egress') {
    return {
      what: `let its API server go through cloud-manager: edit ${manifestFile}, and wait until it is ready again`,
      detail: [`make ${egressConfigFile}`, 'taken back by itself if the API server does not become ready'],
    };
  }
  if (renew) return { what: 'renew the certificate of cloud-manager, which reads it by itself', detail: [] };
  return {
    what: 'run cloud-manager as a unit of systemd',
    detail: [
      `make ${paths.program}, ${paths.unit}, ${paths.folder}, a system user`,
      `its socket is ${egressSocket}`,
    ],
  };
}

/** A change in words. Pure. */
export function describeChange(change: CloudChange): Described {
  switch (change.kind) {
    case 'object':
      return { what: `${change.what} ${placeKey(change.place)}`, detail: change.detail };
    case 'certificate': {
      const { signer, names, why } = change;
      const by =
        signer.kind === 'own' ? 'an authority of its own' : `the cluster's CA, on ${signer.machine.name}`;
      return {
        what: `make the certificate of the tunnel, signed by ${by}`,
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
    case 'ready':
      return { what: 'wait until cloud-manager is ready', detail: [] };
    case 'edge':
      return { what: `mark Node ${change.node} as one at an edge: ${labels.nodeEdge}`, detail: [] };
    case 'record':
      return { what: 'write down what was made in ConfigMap selvedge-system/selvedge-install', detail: [] };
  }
}
