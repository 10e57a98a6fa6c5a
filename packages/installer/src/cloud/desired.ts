import type { KubeObject } from '@selvedge/kube';
import { tlsSecret } from './certificates/secret.ts';
import { type CloudObjects, chartObjects } from './objects/cloud.ts';
import { chartValues } from './objects/values.ts';
import type { CloudOptions, ControlPlaneMachine, OpenMachine } from './types.ts';
import { objectsBeside } from './beside-api-server/objects.ts';

/** Machines whose API server can be given a cloud-manager of its own. */
export const kubeadmMachines = (machines: readonly ControlPlaneMachine[]): readonly OpenMachine[] =>
  machines.filter(
    (one): one is OpenMachine => one.kind === 'open' && one.manifest !== undefined && one.ca !== undefined,
  );

/** Whether cloud-manager runs in the cluster or beside API servers. Pure. */
export function modeOf(
  { mode }: Pick<CloudOptions, 'mode'>,
  machines: readonly ControlPlaneMachine[],
): 'deployment' | 'unit' {
  if (mode !== 'auto') return mode;
  return machines.length > 0 && kubeadmMachines(machines).length === machines.length ? 'unit' : 'deployment';
}

/** The Secret of the certificate of the tunnel: as the values of the chart say, for a Deployment. Pure. */
export const tlsSecretName = (
  mode: 'deployment' | 'unit',
  { values }: Pick<CloudOptions, 'values'>,
): string => (mode === 'unit' ? tlsSecret : chartValues(values).tls.secretName);

/** Where cloud-manager listens for nodes: at what they are told first. */
export const tunnelPortOf = ({ tunnelServers: [first] }: Pick<CloudOptions, 'tunnelServers'>): number =>
  first?.port ?? 443;

/** All objects that are to be there, but for the namespace and the certificate. Pure. */
export function desiredObjects(
  options: CloudOptions,
  machines: readonly ControlPlaneMachine[],
): CloudObjects {
  if (modeOf(options, machines) === 'unit') {
    return objectsBeside(kubeadmMachines(machines).map(({ address }) => address));
  }
  // The Service listens where agents are told, unless a person says otherwise.
  const service = { tunnelService: { port: tunnelPortOf(options) } };
  return chartObjects(chartValues(service, options.values));
}

export const allOf = ({ foundations, program, registration }: CloudObjects): readonly KubeObject[] => [
  ...foundations,
  ...program,
  ...registration,
];
