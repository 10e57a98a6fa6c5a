import {
  autonomyAnnotations,
  joinAnnotations,
  trafficAnnotations,
  trafficFallbacks,
  trafficScopes,
} from '@selvedge/api';
import type { KubeObject } from '@selvedge/kube';
import { type Findings, joined, problems, warnings } from './findings.ts';

type Values = Readonly<Record<string, readonly string[]>>;

const truth = ['true', 'false'];
const traffic: Values = {
  [trafficAnnotations.scope]: trafficScopes,
  [trafficAnnotations.fallback]: trafficFallbacks,
};
const failover: Values = { [autonomyAnnotations.failover]: truth };

/** What annotations of ours may say, by the resource that has them. */
const known: Readonly<Record<string, Values>> = {
  services: traffic,
  namespaces: traffic,
  statefulsets: failover,
  persistentvolumeclaims: failover,
  edgenodes: {
    ...failover,
    [autonomyAnnotations.allowDeletion]: truth,
    [joinAnnotations.allowJoin]: truth,
  },
};

const trafficPrefix = 'selvedge.io/traffic-';
const choice = (values: readonly string[]): string => `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;

function oddities(resource: string, annotations: Readonly<Record<string, string>>): Findings {
  if (known[resource] !== traffic) return warnings();
  const strange = Object.keys(annotations).filter(
    (key) => key.startsWith(trafficPrefix) && !Object.hasOwn(traffic, key),
  );
  const { scope, fallback } = trafficAnnotations;
  const isIdle = Object.hasOwn(annotations, fallback) && !Object.hasOwn(annotations, scope);
  return warnings(
    ...strange.map((key) => `metadata.annotations[${key}] means nothing: there are ${scope} and ${fallback}`),
    isIdle && resource === 'namespaces' ? `${fallback} without ${scope} has no effect` : undefined,
  );
}

/** Whether the annotations of ours on an object of that resource say what can be understood. Pure. */
export function checkAnnotations(resource: string, { metadata }: KubeObject): Findings {
  const { annotations = {} } = metadata;
  const said = Object.entries(known[resource] ?? {}).map(([key, values]) => {
    const value = annotations[key];
    return value === undefined || values.includes(value)
      ? undefined
      : `metadata.annotations[${key}] is ${JSON.stringify(value.slice(0, 64))}: it must be ${choice(values)}`;
  });
  return joined(problems(...said), oddities(resource, annotations));
}
