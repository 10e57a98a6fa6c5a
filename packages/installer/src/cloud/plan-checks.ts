import { SelvedgeError } from '@selvedge/kit';
import { kubeadmMachines, modeOf } from './desired.ts';
import { egressConfigFile, egressOf } from './egress/manifest.ts';
import { closedWarnings } from './plan-notes.ts';
import type { CloudOptions, CloudPlan, CloudSeen } from './types.ts';

/** `kubeadm upgrade` writes manifests anew: what is kept of the old one is of no use any more. */
function refuseRewritten({ controlPlanes }: CloudSeen): void {
  const rewritten = kubeadmMachines(controlPlanes).find(
    ({ runs, manifest }) => runs.egress === 'done' && egressOf(manifest ?? '') === 'none',
  );
  if (rewritten === undefined) return;
  const { name } = rewritten.machine;
  throw new SelvedgeError(
    `the manifest of the API server on ${name} was rewritten without the EgressSelector, for example by kubeadm upgrade`,
    {
      code: 'Conflict',
      hint: `on ${name}, run rm -r /var/lib/selvedge-installer-egress ${egressConfigFile} /etc/kubernetes/manifests/.kube-apiserver.yaml.selvedge-*, then run the same command again here`,
    },
  );
}

/** How cloud-manager is going to run. Throws `Invalid`, `Unsupported` and `Conflict` as `planCloud`. */
export function checked(options: CloudOptions, seen: CloudSeen): CloudPlan['mode'] {
  const mode = modeOf(options, seen.controlPlanes);
  if (options.tunnelServers.length === 0) {
    throw new SelvedgeError('nothing says where nodes connect', {
      code: 'Invalid',
      hint: '--tunnel-server tunnel.example.com:443',
    });
  }
  const unfit = seen.controlPlanes
    .filter((one) => !kubeadmMachines([one]).length)
    .map(({ machine }) => machine.name);
  if (mode === 'unit' && (unfit.length > 0 || seen.controlPlanes.length === 0)) {
    throw new SelvedgeError(
      `cannot run cloud-manager as a unit next to each API server: ${unfit.join(', ') || 'no Node has the role control-plane'}`,
      {
        code: 'Unsupported',
        hint: [
          ...closedWarnings(options, seen),
          'run cloud-manager in the cluster instead: --manager deployment',
        ].join('; '),
      },
    );
  }
  if (seen.inventory !== undefined && seen.inventory.mode !== mode) {
    throw new SelvedgeError(`cloud-manager is installed as a ${seen.inventory.mode}, not as a ${mode}`, {
      code: 'Conflict',
      hint: `keep it with --manager ${seen.inventory.mode}, or run selvedge revert first`,
    });
  }
  refuseRewritten(seen);
  return mode;
}
