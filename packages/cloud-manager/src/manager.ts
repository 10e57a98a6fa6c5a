import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Random,
  type Service,
  createServiceGroup,
  createServicesBeside,
} from '@selvedge/kit';
import {
  type KubeClient,
  type KubeMetrics,
  type LeaderElection,
  createDelegatedAccess,
  createLeaderElection,
} from '@selvedge/kube';
import { formatTarget } from '@selvedge/tunnel';
import type { TunnelServer } from '@selvedge/tunnel/server';
import { type Autonomy, createAutonomy, witnessPath } from './autonomy/index.ts';
import { type Caches, createCaches } from './caches.ts';
import { type Address, type Config, nodeDomainOf } from './config/index.ts';
import { configured } from './configured.ts';
import { createCsrApprover, createCsrMetrics, createReserved } from './csr/index.ts';
import { createEdgeAccess } from './edge-access.ts';
import { type Bans, createBans, createEdgeMarks } from './edge-nodes/index.ts';
import { createHealth, healthLimits } from './health/index.ts';
import { type PemOfClients, createPemOfClients } from './pem-of-clients.ts';
import { present } from './present.ts';
import {
  type ClientAuthorities,
  type Handler,
  type PemFiles,
  type SmallServer,
  createAuthenticate,
  createClientAuthorities,
  createSmallServer,
  watchCertificates,
} from './serving/index.ts';
import {
  type ServerAddresses,
  type SessionWriter,
  createCleaner,
  createPresence,
  createServers,
  createSessionReporter,
  createSessionWriter,
} from './sessions/index.ts';
import { createTrafficDefaults } from './traffic-scope/index.ts';
import { createTunnel } from './tunnel/index.ts';
import { createUnits } from './units/index.ts';
import { type Webhook, createWebhook } from './webhook.ts';

export interface ManagerOptions {
  readonly config: Config;
  /** Of this server among all. */
  readonly server: string;
  /** Where its Leases are. */
  readonly namespace: string;
}

export interface ManagerDeps {
  /** Closed by the manager. */
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly kubeMetrics: KubeMetrics;
  readonly newUid: () => string;
}

export interface Manager extends Service {
  /** Rejects when the program has to end. */
  readonly failed: Promise<never>;
}

type Context = ManagerOptions & ManagerDeps;

/** How long a server that fell silent counts as alive, by the Leases of the others. */
const serverLeaseSeconds = 40;

/** What is only true between the end of the start and the beginning of the stop. */
function createServingMark(): Service & { readonly isServing: boolean } {
  let isServing = false;
  return {
    name: 'readiness',
    get isServing() {
      return isServing;
    },
    async start() {
      isServing = true;
    },
    async stop() {
      isServing = false;
    },
  };
}

interface BanParts {
  readonly bans: Bans;
}

/** What is decided about nodes that lose their link. */
function autonomyOf(context: Context, { bans, ...caches }: Caches & BanParts): Autonomy {
  const { server, config } = context;
  const { default: policy, gracePeriodSeconds, witnessSeconds, failover } = config.autonomy;
  const times = { gracePeriodMs: gracePeriodSeconds * 1_000, witnessMs: witnessSeconds * 1_000 };
  const isBanned = (node: string): boolean => bans.isBanned(node);
  return createAutonomy({ policy, ...times, failover, server }, { ...context, ...caches, isBanned });
}

interface ClientParts {
  /** As the cluster has them; undefined: a file has. */
  readonly authorities: ClientAuthorities | undefined;
  readonly pemOfClients: PemOfClients;
}

function clientsOf(context: Context): ClientParts {
  const { config } = context;
  const isGiven = config.tunnel.clientCaFile !== undefined;
  const authorities = isGiven ? undefined : createClientAuthorities(context);
  return { authorities, pemOfClients: createPemOfClients(config, { ...context, authorities }) };
}

interface HealthParts {
  readonly ready: Readonly<Record<string, () => boolean>>;
  readonly autonomy: Autonomy;
  readonly pemOfClients: PemOfClients;
}

/** For those who look after servers, and for nodes that witness: both are known by their credentials. */
function healthOf(
  context: Context,
  { ready, autonomy, pemOfClients }: HealthParts,
): readonly [PemFiles, SmallServer] {
  const { config, client, clock, metrics } = context;
  const { listen, ...files } = config.health;
  const pem = pemOfClients(files);
  const authorities = (): string => pem.current.clientCa ?? '';
  const access = createDelegatedAccess({ subsystem: 'manager' }, { client, authorities, clock, metrics });
  const authenticate = createAuthenticate({ access, clock });
  const health = createHealth({ access, authenticate, metrics, ready });
  const witness = autonomy.witness(access);
  const handler: Handler = (asked) => (asked.request.url === witnessPath ? witness : health)(asked);
  const names = { name: 'health listener', subsystem: 'manager_health', limits: healthLimits };
  const options = { ...names, listen, clientCertificate: 'optional' } as const;
  return [pem, createSmallServer(options, { ...context, pem, handler })];
}

interface LeaderParts extends BanParts {
  readonly caches: Caches;
  readonly autonomy: Autonomy;
  readonly isAlive: (server: string) => boolean;
  readonly writer: SessionWriter;
  readonly webhook: Webhook;
}

function electionOf(context: Context, leader: LeaderParts): LeaderElection {
  const { caches, bans, isAlive, writer, autonomy, webhook } = leader;
  const { config, server, namespace, client, log, metrics, newUid } = context;
  const { leaseName, leaseDurationSeconds, renewDeadlineSeconds, retrySeconds } = config.leaderElection;
  const reserved = createReserved(config.csr.reserved, { client, nodes: caches.nodes });
  const decisions = createCsrMetrics(metrics);
  const domain = nodeDomainOf(config);
  const units = createUnits({ ...context, ...caches });
  const election = createLeaderElection(
    {
      lease: { namespace, name: leaseName },
      identity: `${server}_${newUid()}`,
      leaseDurationMs: leaseDurationSeconds * 1_000,
      renewDeadlineMs: renewDeadlineSeconds * 1_000,
      retryMs: retrySeconds * 1_000,
    },
    {
      ...context,
      work: () => {
        const parts = { ...context, ...caches, bans, isAlive, reserved, decisions, domain, writer };
        const cleaner = createCleaner({ patienceMs: serverLeaseSeconds * 1_000 }, parts);
        const keepers = webhook.keepers();
        // One that cannot read what it needs holds up none of the others.
        const services = [
          createCsrApprover(parts),
          cleaner,
          createEdgeMarks(parts),
          autonomy,
          units(),
          createTrafficDefaults(parts),
          ...keepers,
        ];
        return createServicesBeside({ name: 'leader', services }, { log });
      },
    },
  );
  metrics.sampled({ name: 'selvedge_manager_leader', help: 'Whether this server leads.' }, () =>
    election.state.kind === 'leading' ? 1 : 0,
  );
  return election;
}

/** Something that only has to be closed at the end. */
const closing = (client: KubeClient): Service => ({
  name: 'client',
  start: () => Promise.resolve(),
  stop: () => client.close(),
});

function watchSessions(metrics: MetricsRegistry, server: TunnelServer, caches: Caches): void {
  const sampled = (name: string, help: string, read: () => number): void =>
    metrics.sampled({ name: `selvedge_manager_${name}`, help }, read);
  const nodes = (): number => new Set(server.sessions.map(({ peer }) => peer)).size;
  const banned = (): number =>
    Array.from(caches.edgeNodes.values()).filter(({ spec }) => spec?.banned === true).length;
  sampled('connected_nodes', 'Nodes with a tunnel session to this server.', nodes);
  sampled('banned_nodes', 'EdgeNodes that ban their node.', banned);
}

const addressText = (address: Address | undefined): string | undefined =>
  address === undefined ? undefined : formatTarget(address);

/** Where this server is reached, as its Lease says. */
const addressesOf = ({ tunnel, egress }: Config): ServerAddresses => ({
  tunnel: addressText(tunnel.advertise),
  egress: addressText(egress?.tls?.advertise),
});

/**
 * The one composition root. Nobody is let in before the bans are known; a stop says that it is not ready any more, hands
 * leadership over, drains the tunnel and then ends the rest.
 */
export function createManager(options: ManagerOptions, deps: ManagerDeps): Manager {
  const context: Context = { ...options, ...deps };
  const { config, server, namespace, client, log, clock, metrics } = context;
  const caches = createCaches(namespace, context);
  const mark = createServingMark();
  const bans = createBans({ edgeNodes: caches.edgeNodes, log });
  const autonomy = autonomyOf(context, { ...caches, bans });
  const synced = (): boolean => caches.synced && (access?.caches.synced ?? true);
  const ready = { synced, serving: () => mark.isServing };
  const { authorities, pemOfClients } = clientsOf(context);
  const [healthPem, health] = healthOf(context, { ready, autonomy, pemOfClients });
  const servers = createServers({ leases: caches.serverLeases, clock });
  const tunnelPem = pemOfClients(config.tunnel);
  const tunnel = createTunnel(config.tunnel, { ...context, pem: tunnelPem, bans });
  watchSessions(metrics, tunnel.server, caches);
  const webhook = createWebhook(config.webhook, { ...context, caches, bans });
  const access = createEdgeAccess({ ...context, caches, servers, tunnel: tunnel.server, pemOfClients });
  const pems = present(healthPem, tunnelPem, ...(access?.pems ?? []));
  watchCertificates([...pems, ...webhook.shown], metrics);
  const presence = createPresence(
    { namespace, server, durationSeconds: serverLeaseSeconds, ...addressesOf(config) },
    context,
  );
  const writer = createSessionWriter(client);
  const reporter = createSessionReporter(
    { server },
    { ...context, ...caches, writer, tunnel: tunnel.server },
  );
  const election = electionOf(context, { caches, bans, isAlive: servers.isAlive, writer, autonomy, webhook });
  const group = createServiceGroup(
    {
      name: 'cloud-manager',
      services: [
        closing(client),
        ...pems.map(configured),
        ...webhook.files,
        health,
        ...present(authorities),
        bans,
        servers,
        caches.service,
        ...present(access?.caches.service, presence, webhook.place),
        reporter,
        ...present(tunnel.service, access?.service, election, webhook.start),
        mark,
      ],
    },
    { log },
  );
  return {
    name: group.name,
    async start(signal) {
      await group.start(signal);
      const ports = { health: health.port, webhook: webhook.port, tunnel: tunnel.server.ports };
      log.info('started', { ...ports, ...access?.ports });
    },
    stop: () => group.stop(),
    failed: election.failed,
  };
}
