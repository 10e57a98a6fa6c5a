import { managerNamespace } from '@selvedge/api';
import { SelvedgeError } from '@selvedge/kit';
import type { Deployment } from '@selvedge/kube/types';
import { kubeadmMachines, modeOf, tlsSecretName } from './desired.ts';
import { tlsSecretOf } from './external.ts';
import { closedWarnings } from './plan-notes.ts';
import type { CloudOptions, CloudPlan, CloudSeen } from './types.ts';

/** Nodes trust who signed the certificate that helm, or a person, had it mount. */
function refuseOtherSecret(options: CloudOptions, { inventory, objects }: CloudSeen): void {
  const live: Deployment | undefined = objects.get(`Deployment ${managerNamespace}/cloud-manager`)?.live;
  const mounted = live && tlsSecretOf(live);
  const wanted = tlsSecretName('deployment', options);
  if (inventory !== undefined || mounted === undefined || mounted === wanted) return;
  throw new SelvedgeError(
    `the Deployment ${managerNamespace}/cloud-manager, which selvedge did not create, mounts the Secret ${mounted} and would get ${wanted}: its nodes do not trust that certificate`,
    {
      code: 'Conflict',
      hint: `pass the values that it was installed with: helm get values selvedge --namespace ${managerNamespace} --output yaml > values.yaml, then --values values.yaml`,
    },
  );
}

/** What helps where machines are not fit for units. */
function remedies(options: CloudOptions, seen: CloudSeen): readonly string[] {
  const remedy =
    seen.inventory?.mode === 'unit'
      ? 'make each reachable; one that is gone for good: kubectl delete node NAME'
      : 'run cloud-manager in the cluster instead: --manager deployment';
  return [...closedWarnings(options, seen), remedy];
}

/** What was begun as units stays so, also while a machine is not fit for one. */
const wantedMode = (options: CloudOptions, { inventory, controlPlanes }: CloudSeen): CloudPlan['mode'] =>
  options.mode === 'auto' && inventory?.mode === 'unit' && controlPlanes.length > 0
    ? 'unit'
    : modeOf(options, controlPlanes);

/** How cloud-manager is going to run. Throws `Invalid`, `Unsupported` and `Conflict` as `planCloud`. */
export function checked(options: CloudOptions, seen: CloudSeen): CloudPlan['mode'] {
  const mode = wantedMode(options, seen);
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
      { code: 'Unsupported', hint: remedies(options, seen).join('; ') },
    );
  }
  if (seen.inventory !== undefined && seen.inventory.mode !== mode) {
    throw new SelvedgeError(`cloud-manager is installed as a ${seen.inventory.mode}, not as a ${mode}`, {
      code: 'Conflict',
      hint: `keep it with --manager ${seen.inventory.mode}, or run selvedge revert first`,
    });
  }
  if (mode === 'deployment') refuseOtherSecret(options, seen);
  return mode;
}
