import type { EndpointSlice, Endpoints, Service } from '@selvedge/kube/types';
import { ageOf, labelText, nameOf, or, printer } from './columns.ts';
import type { Printer } from './types.ts';

type ServiceSpec = NonNullable<Service['spec']>;

function ingressText({ status }: Service): readonly string[] {
  const ingress = status?.loadBalancer?.ingress ?? [];
  const names = ingress.map(({ ip = '', hostname = '' }) => or(ip, hostname)).filter((name) => name !== '');
  return [...new Set(names)].toSorted();
}

function externalText(service: Service): string {
  const { type = 'ClusterIP', externalIPs = [], externalName = '' } = service.spec ?? {};
  if (type === 'ExternalName') return externalName;
  if (type !== 'LoadBalancer') return or(externalIPs.join());
  return or([...ingressText(service), ...externalIPs].join(), '<pending>');
}

function portText({
  port,
  nodePort = 0,
  protocol = 'TCP',
}: NonNullable<ServiceSpec['ports']>[number]): string {
  return nodePort > 0 ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`;
}

const services = printer(
  ['Name', 'Type', 'Cluster-IP', 'External-IP', 'Port(s)', 'Age', '+Selector'],
  (object: Service, nowMs) => {
    const spec: ServiceSpec = object.spec ?? {};
    const ports = (spec.ports ?? []).map(portText).join();
    const addresses = [or(spec.clusterIPs?.[0]), externalText(object), or(ports)];
    return [nameOf(object), spec.type ?? '', ...addresses, ageOf(object, nowMs), labelText(spec.selector)];
  },
);

const shownItems = 3;

function firstOf(items: readonly string[], none = '<unset>'): string {
  const more = items.length - shownItems;
  const text = items.slice(0, shownItems).join();
  return more > 0 ? `${text} + ${more} more...` : or(text, none);
}

const endpointSlices = printer(
  ['Name', 'AddressType', 'Ports', 'Endpoints', 'Age'],
  (object: EndpointSlice, nowMs) => {
    const ports = (object.ports ?? []).map(({ port, name }) =>
      port === undefined ? (name ?? '*') : String(port),
    );
    const endpoints = (object.endpoints ?? []).flatMap(({ addresses }) => addresses ?? []);
    return [
      nameOf(object),
      object.addressType ?? '',
      firstOf(ports),
      firstOf(endpoints),
      ageOf(object, nowMs),
    ];
  },
);

/** As the API server writes an address with its port. */
const withPort = (ip: string, port: number): string =>
  ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;

const endpoints = printer(['Name', 'Endpoints', 'Age'], (object: Endpoints, nowMs) => {
  const all = (object.subsets ?? []).flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => withPort(ip, port))),
  );
  const text = (object.subsets ?? []).length === 0 ? '<none>' : firstOf(all, '');
  return [nameOf(object), text, ageOf(object, nowMs)];
});

export const networkPrinters: Readonly<Record<string, Printer>> = {
  'v1/services': services,
  'v1/endpoints': endpoints,
  'discovery.k8s.io/v1/endpointslices': endpointSlices,
};
