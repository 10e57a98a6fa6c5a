import { isIP } from 'node:net';
import { logLevels } from '@selvedge/kit';
import { isIpRange } from '@selvedge/kit/net';
import { z } from 'zod';
import { autonomy } from './autonomy.ts';
import { file, ipRange, listenAddress, name, pair, publicAddress, text, wholeNumber } from './fields.ts';
import {
  connectProxyLimits,
  egressLimits,
  kubeletProxyLimits,
  tunnelLimits,
  tunnelTimeouts,
} from './limits.ts';
import { defaultNodeDomain } from './node-domain.ts';

const mapping = 'a mapping';

const cluster = z.strictObject({ kubeconfig: file.optional(), namespace: name.optional() }, mapping);

const tunnelService = z.strictObject(
  {
    addresses: z
      .array(publicAddress, 'a list of addresses')
      .min(1, 'at least one address')
      .max(16, 'at most 16 addresses'),
    nodes: z.array(name, 'a list of names of nodes').max(1_000, 'at most 1000 nodes').optional(),
  },
  'a mapping with addresses',
);

const tunnel = z.strictObject(
  {
    listen: z
      .array(listenAddress, 'a list of addresses')
      .min(1, 'at least one address')
      .max(16, 'at most 16 addresses'),
    ...pair,
    clientCaFile: file,
    advertise: publicAddress.optional(),
    drainSeconds: wholeNumber(0, 3_600).default(60),
    limits: tunnelLimits.exactOptional(),
    timeouts: tunnelTimeouts.exactOptional(),
    services: z
      .record(name, tunnelService, 'a mapping of services')
      .refine((services) => Object.keys(services).length <= 64, 'at most 64 services')
      .default({}),
  },
  mapping,
);

const httpsUrl = text('an https:// URL without user or query', (value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  return url?.protocol === 'https:' && url.username === '' && url.search === '' && url.hash === '';
});

const service = z.strictObject(
  { namespace: name, name, port: wholeNumber(1, 65_535).default(443) },
  'a mapping with namespace, name and port',
);

const webhook = z.strictObject(
  {
    listen: listenAddress,
    ...pair,
    caFile: file,
    reach: z
      .strictObject({ url: httpsUrl.optional(), service: service.optional() }, mapping)
      .refine(
        (reach) => (reach.url === undefined) !== (reach.service === undefined),
        'either url or service',
      ),
    clientCaFile: file.optional(),
  },
  mapping,
);

const health = z.strictObject({ listen: listenAddress, ...pair, clientCaFile: file.optional() }, mapping);

const reservedHost = text(
  'a host name, an IP address or a network, such as 10.0.0.0/8',
  (value) => name.safeParse(value).success || isIP(value) !== 0 || isIpRange(value),
);

const csr = z.strictObject(
  { reserved: z.array(reservedHost, 'a list of hosts').max(256, 'at most 256 hosts').default([]) },
  mapping,
);

const leaderElection = z
  .strictObject(
    {
      leaseName: name.default('cloud-manager'),
      leaseDurationSeconds: wholeNumber(2, 600).default(15),
      renewDeadlineSeconds: wholeNumber(1, 600).default(10),
      retrySeconds: wholeNumber(1, 600).default(2),
    },
    mapping,
  )
  .refine(
    (times) =>
      times.leaseDurationSeconds > times.renewDeadlineSeconds &&
      times.renewDeadlineSeconds > times.retrySeconds * 1.2,
    'leaseDurationSeconds above renewDeadlineSeconds, and that above 1.2 times retrySeconds',
  );

const commonNames = z
  .array(
    text('a common name', (value) => value.length > 0 && value.length <= 64),
    'a list of common names',
  )
  .max(64, 'at most 64 names');

const egressTls = z
  .strictObject(
    {
      listen: listenAddress,
      ...pair,
      clientCaFile: file,
      clients: commonNames.default([]),
      servers: commonNames.default([]),
      advertise: publicAddress.optional(),
      serverName: name.optional(),
      apiServer: z
        .strictObject({ address: publicAddress.optional(), caFile: file, ...pair }, mapping)
        .optional(),
    },
    mapping,
  )
  .refine(
    ({ apiServer, advertise }) => apiServer === undefined || (apiServer.address ?? advertise) !== undefined,
    'with apiServer, its address or advertise: where it connects',
  );

/** The kernel takes 107 bytes, some of which are for the name under which a socket is made. */
const socketPath = text(
  'an absolute path of at most 96 bytes',
  (value) => value.startsWith('/') && Buffer.byteLength(value) <= 96,
);

const egress = z
  .strictObject(
    {
      unixSocket: socketPath.optional(),
      tls: egressTls.optional(),
      limits: egressLimits.exactOptional(),
    },
    mapping,
  )
  .refine(({ unixSocket, tls }) => unixSocket !== undefined || tls !== undefined, 'unixSocket, tls or both');

/** Whether it is more than what other servers relay by. */
const servesApiServers = (own: z.output<typeof egress> | undefined): boolean =>
  own?.unixSocket !== undefined || (own?.tls?.clients.length ?? 0) > 0;

const networks = z.array(ipRange, 'a list of networks').max(64, 'at most 64 networks').default([]);

const direct = z.strictObject({ allow: networks }, mapping);

const audience = text('an audience', (value) => value.length > 0 && value.length <= 256);

const connectProxy = z.strictObject(
  {
    listen: listenAddress,
    ...pair,
    clientCaFile: file.optional(),
    audiences: z.array(audience, 'a list of audiences').max(16, 'at most 16 audiences').default([]),
    limits: connectProxyLimits.exactOptional(),
  },
  mapping,
);

const kubeletProxy = z.strictObject(
  {
    listen: listenAddress,
    domain: name.default(defaultNodeDomain),
    nodeNetworks: networks,
    limits: kubeletProxyLimits.exactOptional(),
  },
  mapping,
);

/** The document. Descriptions, defaults and examples: docs/reference/cloud-manager-config.md. */
export const configSchema = z
  .strictObject(
    {
      apiVersion: z.literal('cloud-manager.selvedge.io/v1alpha1', 'cloud-manager.selvedge.io/v1alpha1'),
      kind: z.literal('Config', 'Config'),
      serverName: name.optional(),
      cluster: cluster.prefault({}),
      tunnel,
      webhook: webhook.optional(),
      egress: egress.optional(),
      kubeletProxy: kubeletProxy.optional(),
      connectProxy: connectProxy.optional(),
      direct: direct.prefault({}),
      csr: csr.prefault({}),
      autonomy: autonomy.prefault({}),
      health,
      leaderElection: leaderElection.prefault({}),
      log: z
        .strictObject({ level: z.enum(logLevels, logLevels.join(', ')).default('info') }, mapping)
        .prefault({}),
    },
    mapping,
  )
  .refine(({ egress: own, webhook: hook }) => !servesApiServers(own) || hook?.reach.service === undefined, {
    path: ['webhook', 'reach', 'service'],
    error: 'with egress for API servers, url: they reach Services through it',
  });

export type Config = z.output<typeof configSchema>;
export type TunnelConfig = Config['tunnel'];
export type WebhookConfig = NonNullable<Config['webhook']>;
export type EgressConfig = NonNullable<Config['egress']>;
export type ConnectProxyConfig = NonNullable<Config['connectProxy']>;
