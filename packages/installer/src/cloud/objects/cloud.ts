import {
  clientRole,
  customResources,
  hubRole,
  hubRoleBinding,
  managerNamespace,
  managerObjects,
} from '@selvedge/api';
import type { KubeObject } from '@selvedge/kube';
import { bindingOf, renewalRight } from '../../group-rights.ts';
import { configMap } from './config.ts';
import { deployment, disruptionBudget } from './deployment.ts';
import { adoptable, kept } from './metadata.ts';
import { registration, services } from './services.ts';
import type { ChartValues } from './values.ts';

/** Everything but the namespace, the certificate and the program: in the order of applying. */
function foundations(withDefinitions: boolean): readonly KubeObject[] {
  const resources = withDefinitions ? customResources : [];
  const definitions = resources.flatMap(({ objects }) => (objects as readonly KubeObject[]).map(kept));
  const rights = (managerObjects as readonly KubeObject[]).filter(({ kind }) => kind !== 'Namespace');
  return [...definitions, ...rights, clientRole, hubRole, hubRoleBinding];
}

export const ownNamespace: KubeObject = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: managerNamespace },
};

/**
 * For clusters where kubeadm has not given it: without it no certificate of a hub is renewed, and nodes go dark within a year. Not
 * of the chart: most clusters have it.
 */
export const renewalBinding: KubeObject = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  ...bindingOf(renewalRight),
};

/** What is applied in steps: what comes first, what runs, and what sends it questions. */
export interface CloudObjects {
  readonly foundations: readonly KubeObject[];
  readonly program: readonly KubeObject[];
  readonly registration: readonly KubeObject[];
}

/** What charts/selvedge renders with these values in our namespace, marked so that helm can take it over. Pure. */
export const chartObjects = (values: ChartValues): CloudObjects => ({
  foundations: foundations(values.crds.install).map(adoptable),
  program: [configMap(values.config), ...services(values), disruptionBudget(values), deployment(values)].map(
    adoptable,
  ),
  registration: registration(values).map(adoptable),
});

/** What a cloud-manager beside each API server has in the cluster. Pure. */
export const unitObjects = (own: readonly KubeObject[], reach: readonly KubeObject[]): CloudObjects => ({
  foundations: foundations(true).map(adoptable),
  program: own,
  registration: reach.map(adoptable),
});
