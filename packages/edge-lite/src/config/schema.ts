import { isIP } from 'node:net';
import { logLevels } from '@selvedge/kit';
import { parseTarget } from '@selvedge/tunnel';
import * as v from 'valibot';
import { parseRule } from '../tunnel/index.ts';

const text = (expected: string, accepts: (value: string) => boolean): v.GenericSchema<string> =>
  v.pipe(v.string(expected), v.check(accepts, expected));
const pattern = (expected: string, regex: RegExp): v.GenericSchema<string> =>
  text(expected, (value) => regex.test(value));
const wholeNumber = (min: number, max: number): v.GenericSchema<number> => {
  const expected = `a whole number from ${min} to ${max}`;
  return v.pipe(
    v.number(expected),
    v.integer(expected),
    v.minValue(min, expected),
    v.maxValue(max, expected),
  );
};

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
/** RFC 1123. */
const subdomain = new RegExp(`^(?=.{1,253}$)${label}(\\.${label})*$`);
const qualifiedName = new RegExp(`^(${label}(\\.${label})*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`);
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

const absolutePath = pattern('an absolute path', /^\//);
const ipAddress = text('an IP address', (value) => isIP(value) !== 0);
const httpsUrl = text('an https:// URL without path, user or query', (value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  return (
    url?.protocol === 'https:' && `${url.protocol}//${url.host}` === value.replace(/\/$/, '').toLowerCase()
  );
});
const proxyUrl = text('an http:// or https:// URL without path, user or query', (value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  return (
    (url?.protocol === 'http:' || url?.protocol === 'https:') &&
    `${url.protocol}//${url.host}` === value.replace(/\/$/, '').toLowerCase()
  );
});
const linkLocal = text(
  'an IPv4 address in 169.254.0.0/16, or none',
  (value) => value === 'none' || (isIP(value) === 4 && value.startsWith('169.254.')),
);
const interfaceName = pattern('the name of an interface', /^[A-Za-z][-A-Za-z0-9_.]{0,14}$/);
const quantity = pattern('a quantity such as 250m or 512Mi', /^\d+(\.\d+)?(m|k|[KMGT]i?)?$/);
const list = <T>(item: v.GenericSchema<T>, what: string): v.GenericSchema<T[]> =>
  v.array(item, `a list of ${what}`);

const server = v.strictObject(
  {
    urls: v.pipe(
      list(httpsUrl, 'https:// URLs'),
      v.minLength(1, 'at least one URL'),
      v.maxLength(16, 'at most 16 URLs'),
    ),
    caHash: pattern('sha256: and 64 hexadecimal digits, as kubeadm prints it', /^sha256:[0-9a-f]{64}$/),
    tokenFile: v.optional(absolutePath),
    via: v.optional(v.picklist(['direct', 'tunnel'], 'direct or tunnel'), 'direct'),
    proxy: v.optional(
      v.strictObject({ url: proxyUrl, credentialsFile: v.optional(absolutePath) }, 'a mapping with a url'),
    ),
  },
  'a mapping',
);

const runtime = v.strictObject(
  {
    endpoint: v.optional(
      pattern('unix:///path/of/a.sock', /^unix:\/\/\/.+/),
      'unix:///run/containerd/containerd.sock',
    ),
    cgroupDriver: v.optional(v.picklist(['cgroupfs', 'systemd'], 'cgroupfs or systemd'), 'cgroupfs'),
    cgroupRoot: v.optional(absolutePath, '/'),
  },
  'a mapping',
);

const pods = v.strictObject(
  {
    clusterDNS: v.optional(
      v.pipe(list(ipAddress, 'IP addresses'), v.maxLength(3, 'at most 3 addresses')),
      [],
    ),
    clusterDomain: v.optional(pattern('a domain name', subdomain), 'cluster.local'),
    maxPods: v.optional(wholeNumber(1, 500), 110),
    network: v.optional(
      v.strictObject(
        {
          file: v.optional(absolutePath, '/etc/cni/net.d/99-selvedge.conflist'),
          bridge: v.optional(interfaceName, 'selvedge0'),
        },
        'a mapping',
      ),
    ),
    kubeletApi: v.optional(
      v.strictObject(
        {
          port: v.optional(wholeNumber(0, 65_535), 10_250),
          address: v.optional(ipAddress, '0.0.0.0'),
        },
        'a mapping',
      ),
      {},
    ),
  },
  'a mapping',
);

/** Of a namespaced object. */
const objectName = v.pipe(
  pattern('namespace/name', new RegExp(`^${label}/${label}(\\.${label})*$`)),
  v.transform((value) => {
    const [namespace = '', name = ''] = value.split('/');
    return { namespace, name };
  }),
);

const hub = v.pipe(
  v.strictObject(
    {
      port: v.optional(wholeNumber(0, 65_535), 10_270),
      address: v.optional(linkLocal, '169.254.77.1'),
      clusterDomain: v.optional(pattern('a domain name', subdomain)),
      clients: v.optional(
        v.pipe(
          list(
            v.strictObject(
              { name: pattern('a user name', /^\S+$/), kubeconfig: absolutePath },
              'a mapping with name and kubeconfig',
            ),
            'clients',
          ),
          v.maxLength(16, 'at most 16 clients'),
        ),
        [],
      ),
      kubeProxyConfigMap: v.optional(objectName),
      operators: v.optional(
        v.pipe(list(pattern('a group name', /^\S+$/), 'group names'), v.maxLength(16, 'at most 16 groups')),
        ['system:masters', 'kubeadm:cluster-admins'],
      ),
      keepUnusedHours: v.optional(wholeNumber(1, 8_760), 24),
      maxStateMiB: v.optional(wholeNumber(16, 16_384), 256),
    },
    'a mapping',
  ),
  v.forward(
    v.check(
      ({ address, kubeProxyConfigMap }) => address !== 'none' || kubeProxyConfigMap === undefined,
      'only with an address, for pods trust the hub only then',
    ),
    ['kubeProxyConfigMap'],
  ),
);

const hostPort = text('host:port', (value) => parseTarget(value) !== undefined);
const serverName = pattern(
  'a host name or an IP address',
  /^[A-Za-z0-9]([-A-Za-z0-9_.:]{0,252}[A-Za-z0-9])?$/,
);
const webSocketUrl = text('a ws:// or wss:// URL without user, query or fragment', (value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isPlain = url !== undefined && url.username === '' && url.search === '' && url.hash === '';
  return isPlain && ['ws:', 'wss:'].includes(url.protocol);
});

/** `host:port` alone, or with more about it. */
const tunnelServer = v.lazy((value) =>
  typeof value === 'object'
    ? v.strictObject(
        {
          address: hostPort,
          serverName: v.optional(serverName),
          webSocketUrl: v.optional(webSocketUrl),
          webSocketCaFile: v.optional(
            text('an absolute path, or system', (path) => path === 'system' || path.startsWith('/')),
          ),
        },
        'host:port, or a mapping with address',
      )
    : v.pipe(
        hostPort,
        v.transform((address) => ({ address })),
      ),
);

const tunnel = v.strictObject(
  {
    servers: v.pipe(
      v.array(tunnelServer, 'a list of servers, host:port each'),
      v.minLength(1, 'at least one server'),
      v.maxLength(16, 'at most 16 servers'),
    ),
    caFile: v.optional(absolutePath),
    domain: v.optional(pattern('a domain name, or none', subdomain), 'nodes.selvedge'),
    carriers: v.optional(
      v.pipe(
        list(v.picklist(['tls', 'websocket'], 'tls or websocket'), 'tls and websocket'),
        v.minLength(1, 'at least one carrier'),
        v.check((all) => new Set(all).size === all.length, 'each carrier once'),
      ),
      ['tls', 'websocket'],
    ),
    allow: v.optional(
      v.pipe(
        list(
          text('host:port, CIDR:port or CIDR:first-last', (value) => parseRule(value) !== undefined),
          'targets',
        ),
        v.maxLength(256, 'at most 256 targets'),
      ),
      [],
    ),
  },
  'a mapping with servers',
);

const taint = v.strictObject(
  {
    key: pattern('a label name', qualifiedName),
    value: v.optional(pattern('a label value', labelValue), ''),
    effect: v.picklist(
      ['NoSchedule', 'PreferNoSchedule', 'NoExecute'],
      'NoSchedule, PreferNoSchedule or NoExecute',
    ),
  },
  'a mapping with key, value and effect',
);

const node = v.strictObject(
  {
    ip: v.optional(ipAddress),
    labels: v.optional(
      v.record(
        pattern('a label name', qualifiedName),
        pattern('a label value', labelValue),
        'a mapping of labels',
      ),
      {},
    ),
    taints: v.optional(list(taint, 'taints'), []),
    leaseDurationSeconds: v.optional(wholeNumber(4, 600), 40),
    reserved: v.optional(
      v.strictObject({ cpu: v.optional(quantity, '0'), memory: v.optional(quantity, '0') }, 'a mapping'),
      {},
    ),
  },
  'a mapping',
);

/** The pod module reads through the hub and the tunnel asks it who the pods are, so neither is had without it. */
const modules = v.pipe(
  v.strictObject(
    { hub: v.optional(hub), pods: v.optional(pods), tunnel: v.optional(tunnel) },
    'a mapping of modules',
  ),
  v.transform((chosen) =>
    (chosen.pods ?? chosen.tunnel) === undefined || chosen.hub !== undefined
      ? chosen
      : { ...chosen, hub: v.parse(hub, {}) },
  ),
);

/** The document. Descriptions, defaults and examples: docs/reference/edge-lite-config.md. */
export const configSchema = v.pipe(
  v.strictObject(
    {
      apiVersion: v.literal('edge-lite.selvedge.io/v1alpha1', 'edge-lite.selvedge.io/v1alpha1'),
      kind: v.literal('Config', 'Config'),
      nodeName: pattern('a lower-case RFC 1123 name', subdomain),
      root: v.optional(absolutePath, '/'),
      server,
      runtime: v.optional(runtime, {}),
      node: v.optional(node, {}),
      modules: v.optional(modules, {}),
      log: v.optional(
        v.strictObject(
          { level: v.optional(v.picklist(logLevels, logLevels.join(', ')), 'info') },
          'a mapping',
        ),
        {},
      ),
    },
    'a mapping',
  ),
  v.forward(
    v.check(
      ({ server: { via }, modules: { tunnel: module } }) => via === 'direct' || module !== undefined,
      'direct, or modules.tunnel too',
    ),
    ['server', 'via'],
  ),
);

export type Config = v.InferOutput<typeof configSchema>;
export type HubConfig = NonNullable<Config['modules']['hub']>;
export type PodsConfig = NonNullable<Config['modules']['pods']>;
export type TunnelConfig = NonNullable<Config['modules']['tunnel']>;
