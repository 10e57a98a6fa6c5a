import type { ConfigMap, Event, Lease, Namespace, Node, Secret } from '@selvedge/kube/types';
import { ageOf, nameOf, or, printer } from './columns.ts';
import { age } from './format.ts';
import type { Printer } from './types.ts';

const count = (record: object | undefined): number => Object.keys(record ?? {}).length;

const configMaps = printer(['Name', 'Data', 'Age'], (object: ConfigMap, nowMs) => [
  nameOf(object),
  count(object.data) + count(object.binaryData),
  ageOf(object, nowMs),
]);

const secrets = printer(['Name', 'Type', 'Data', 'Age'], (object: Secret, nowMs) => [
  nameOf(object),
  object.type ?? '',
  count(object.data),
  ageOf(object, nowMs),
]);

const namespaces = printer(['Name', 'Status', 'Age'], (object: Namespace, nowMs) => [
  nameOf(object),
  object.status?.phase ?? '',
  ageOf(object, nowMs),
]);

const leases = printer(['Name', 'Holder', 'Age'], (object: Lease, nowMs) => [
  nameOf(object),
  object.spec?.holderIdentity ?? '',
  ageOf(object, nowMs),
]);

const rolePrefix = 'node-role.kubernetes.io/';

function rolesOf({ metadata }: Node): string {
  const roles = Object.entries(metadata.labels ?? {}).map(([key, value]) => {
    if (key.startsWith(rolePrefix)) return key.slice(rolePrefix.length);
    return key === 'kubernetes.io/role' ? value : '';
  });
  return or([...new Set(roles.filter((role) => role !== ''))].toSorted().join());
}

function nodeStatus({ status, spec }: Node): string {
  const ready = status?.conditions?.findLast(({ type }) => type === 'Ready');
  const said = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return spec?.unschedulable === true ? `${said},SchedulingDisabled` : said;
}

function addressOf({ status }: Node, wanted: string): string {
  return or(status?.addresses?.find(({ type }) => type === wanted)?.address);
}

function kernelText({ status }: Node): string {
  const { kernelVersion, architecture = '' } = status?.nodeInfo ?? {};
  const kernel = or(kernelVersion, '<unknown>');
  return architecture === '' ? kernel : `${kernel} (${architecture})`;
}

const nodeColumns = ['Name', 'Status', 'Roles', 'Age', 'Version', '+Internal-IP', '+External-IP'];

const nodes = printer(
  [...nodeColumns, '+OS-Image', '+Kernel-Version', '+Container-Runtime'],
  (object: Node, nowMs) => {
    const { kubeletVersion = '', osImage, containerRuntimeVersion } = object.status?.nodeInfo ?? {};
    return [
      nameOf(object),
      nodeStatus(object),
      rolesOf(object),
      ageOf(object, nowMs),
      kubeletVersion,
      addressOf(object, 'InternalIP'),
      addressOf(object, 'ExternalIP'),
      or(osImage, '<unknown>'),
      kernelText(object),
      or(containerRuntimeVersion, '<unknown>'),
    ];
  },
);

function eventTimes({ firstTimestamp, lastTimestamp, eventTime, series }: Event): {
  readonly first: string | undefined;
  readonly last: string | undefined;
} {
  const first = firstTimestamp ?? eventTime;
  return { first, last: series?.lastObservedTime ?? lastTimestamp ?? first };
}

function sourceText({ source, reportingComponent, reportingInstance }: Event): string {
  const component = or(source?.component, reportingComponent ?? '');
  const instance = or(source?.host, reportingInstance ?? '');
  return instance === '' ? component : `${component}, ${instance}`;
}

function targetText({ involvedObject }: Event): string {
  const { kind = '', name = '' } = involvedObject ?? {};
  return name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`;
}

const eventColumns = ['Last Seen', 'Type', 'Reason', 'Object', '+Subobject', '+Source', 'Message'];

const events = printer([...eventColumns, '+First Seen', '+Count', '+Name'], (object: Event, nowMs) => {
  const { first, last } = eventTimes(object);
  return [
    age(last, nowMs),
    object.type ?? '',
    object.reason ?? '',
    targetText(object),
    object.involvedObject?.fieldPath ?? '',
    sourceText(object),
    (object.message ?? '').trim(),
    age(first, nowMs),
    object.series?.count ?? (object.count || 1),
    nameOf(object),
  ];
});

export const corePrinters: Readonly<Record<string, Printer>> = {
  'v1/configmaps': configMaps,
  'v1/secrets': secrets,
  'v1/namespaces': namespaces,
  'v1/nodes': nodes,
  'v1/events': events,
  'coordination.k8s.io/v1/leases': leases,
};
