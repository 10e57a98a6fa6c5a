import { labels } from '@selvedge/api';
import type { KubeObject } from '@selvedge/kube';

const value = 'selvedge';

/** The label of what commands make in the cluster beside the chart. */
export const managed = { [labels.managedBy]: value };
/** Selects it. */
export const managedSelector = `${labels.managedBy}=${value}`;
export const isManaged = ({ metadata }: KubeObject): boolean => metadata.labels?.[labels.managedBy] === value;
