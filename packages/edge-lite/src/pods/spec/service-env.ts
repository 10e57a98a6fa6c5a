import { isIPv6 } from 'node:net';
import type { Service, ServicePort } from '@selvedge/kube/types';

type Variable = readonly [name: string, value: string];

const variableName = (name: string): string => name.replaceAll('-', '_').toUpperCase();
const hasAddress = ({ spec }: Service): boolean =>
  spec?.clusterIP !== undefined && spec.clusterIP !== '' && spec.clusterIP !== 'None';

function isNamed(port: ServicePort): port is ServicePort & { readonly name: string } {
  return port.name !== undefined && port.name !== '';
}

function linkVariables(prefix: string, address: string, port: ServicePort): readonly Variable[] {
  const protocol = port.protocol ?? 'TCP';
  const host = isIPv6(address) ? `[${address}]` : address;
  const name = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`;
  return [
    [name, `${protocol.toLowerCase()}://${host}:${port.port}`],
    [`${name}_PROTO`, protocol.toLowerCase()],
    [`${name}_PORT`, String(port.port)],
    [`${name}_ADDR`, address],
  ];
}

function variablesOf(service: Service): readonly Variable[] {
  const prefix = variableName(service.metadata.name ?? '');
  const address = service.spec?.clusterIP ?? '';
  const ports = service.spec?.ports ?? [];
  const links = ports.flatMap((port) => linkVariables(prefix, address, port));
  return [
    [`${prefix}_SERVICE_HOST`, address],
    ...ports.slice(0, 1).map(({ port }): Variable => [`${prefix}_SERVICE_PORT`, String(port)]),
    ...ports.filter(isNamed).map(({ name, port }): Variable => {
      return [`${prefix}_SERVICE_PORT_${variableName(name)}`, String(port)];
    }),
    ...links.slice(0, 1).map(([, url]): Variable => [`${prefix}_PORT`, url]),
    ...links,
  ];
}

/**
 * The variables that tell a container of `namespace` where services are: those of its own namespace if `links`, and always
 * `default/kubernetes`. Source: https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
 */
export function serviceVariables(
  services: readonly Service[],
  pod: { readonly namespace: string; readonly links: boolean },
): ReadonlyMap<string, string> {
  const chosen = new Map<string, Service>();
  for (const service of services.filter(hasAddress)) {
    const { namespace, name = '' } = service.metadata;
    if (namespace === 'default' && name === 'kubernetes') {
      if (!chosen.has(name)) chosen.set(name, service);
    } else if (pod.links && namespace === pod.namespace) {
      chosen.set(name, service);
    }
  }
  const sorted = [...chosen].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return new Map(sorted.flatMap(([, service]) => variablesOf(service)));
}
