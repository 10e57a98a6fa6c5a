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
import { metricGate } from './metric-gate.ts';
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
    clientCaFile: file.optional(),
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

/** What a certificate may be for. */
const host = text(
  'a host name or an IP address',
  (value) => name.safeParse(value).success || isIP(value) !== 0,
);

const service = z.strictObject(
  { namespace: name, name, port: wholeNumber(1, 65_535).default(443) },
  'a mapping with namespace, name and port',
);

const days = (max: number): z.ZodType<number, number> => wholeNumber(1, max);

/** Of a certificate that cloud-manager makes itself. */
const madeCertificate = z
  .strictObject(
    {
      hosts: z.array(host, 'a list of host names and IP addresses').max(32, 'at most 32 hosts').default([]),
      validityDays: days(397).default(90),
      authorityDays: days(3_650).default(1_825),
      overlapSeconds: wholeNumber(1, 86_400).default(300),
    },
    mapping,
  )
  .refine(
    ({ validityDays, authorityDays }) => authorityDays >= 2 * validityDays,
    'authorityDays of at least twice validityDays',
  );

const pairAndAuthority = z.strictObject({ ...pair, caFile: file });
const webhookFields = {
  listen: listenAddress,
  reach: z
    .strictObject({ url: httpsUrl.optional(), service: service.optional() }, mapping)
    .refine((reach) => (reach.url === undefined) !== (reach.service === undefined), 'either url or service'),
  clientCaFile: file.optional(),
};

/** A certificate from files, or one that is made: `certificate` says which from here on. */
const webhook = z
  .strictObject(
    { ...webhookFields, ...pairAndAuthority.partial().shape, certificate: madeCertificate.optional() },
    mapping,
  )
  .transform(({ certificate, certificateFile, keyFile, caFile, ...rest }, context) => {
    const files = { certificateFile, keyFile, caFile };
    const given = Object.values(files).filter((one) => one !== undefined).length;
    const whole = pairAndAuthority.safeParse(files);
    if (given === 0) {
      const made = certificate ?? madeCertificate.parse({});
      return { ...rest, certificate: { kind: 'made' as const, ...made } };
    }
    if (whole.success && certificate === undefined)
      return { ...rest, certificate: { kind: 'files' as const, ...whole.data } };
    const expected = 'certificateFile, keyFile and caFile together and without certificate, or none of them';
    context.issues.push({ code: 'custom', message: expected, input: files });
    return z.NEVER;
  });

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
      metricGate: metricGate.prefault({}),
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
