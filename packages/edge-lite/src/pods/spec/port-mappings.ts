import { isIPv6 } from 'node:net';
import { PortMapping, Protocol, message } from '@selvedge/containerd-grpc-types';
import type { ContainerPort, Pod } from '@selvedge/kube/types';

const protocols: Readonly<Record<string, Protocol>> = {
  TCP: Protocol.TCP,
  UDP: Protocol.UDP,
  SCTP: Protocol.SCTP,
};

function family(address: string): string {
  if (address === '') return 'any';
  return isIPv6(address) ? 'v6' : 'v4';
}

function nameOf(port: ContainerPort): string {
  const { name = '', protocol = 'TCP', hostIP = '', hostPort = 0 } = port;
  return name === '' ? `${family(hostIP)}-${protocol}-${hostIP}:${port.containerPort}:${hostPort}` : name;
}

function mapping({ protocol = 'TCP', containerPort, hostPort = 0, hostIP = '' }: ContainerPort): PortMapping {
  return message(PortMapping, {
    protocol: protocols[protocol] ?? Protocol.TCP,
    containerPort,
    hostPort,
    hostIp: hostIP,
  });
}

/** The ports of the pod's containers; of those that bear one name in one container, the first. */
export function portMappings(pod: Pod): PortMapping[] {
  return (pod.spec?.containers ?? []).flatMap(({ ports = [] }) => {
    const names = ports.map(nameOf);
    return ports.filter((port, i) => names.indexOf(nameOf(port)) === i).map(mapping);
  });
}
