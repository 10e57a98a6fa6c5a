import { formatHostPort, hostOf, portOf } from '@selvedge/kit/net';
import { type Rules, error, warning } from '../rule.ts';

/** `host:port`, the port always. */
const placeOf = (server: URL): string => formatHostPort({ host: hostOf(server), port: portOf(server) });

/** About the ways between the machine and its cluster. */
export const wayRules: Rules = {
  'join-reach': ({ runtime: { reaches } }, { server }) =>
    reaches
      ? undefined
      : error(
          `it cannot connect to ${placeOf(new URL(server))}`,
          'edge-lite needs a connection to the API server',
          'allow it in the firewall; check DNS and routing on this machine',
        ),
  'join-tunnel': (_sight, { tunnelServers = [] }) =>
    tunnelServers.length > 0
      ? undefined
      : warning(
          'no tunnel configured',
          'logs, exec and metrics only work if the API server can connect to the machine',
          'use --tunnel-server HOST:PORT with the address of cloud-manager',
        ),
  'join-dns': ({ cluster }, { clusterDNS = [] }) =>
    clusterDNS.length > 0 || cluster.dns !== undefined
      ? undefined
      : warning(
          'the address of the cluster DNS is not known',
          'pods will use the resolver of the machine, which cannot resolve Services',
          'set it with --cluster-dns',
        ),
};
