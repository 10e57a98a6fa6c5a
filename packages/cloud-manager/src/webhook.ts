import { isIPv6 } from 'node:net';
import {
  type Clock,
  type Logger,
  type MetricsRegistry,
  type Random,
  type Service,
  createServiceGroup,
} from '@selvedge/kit';
import type { KubeClient, KubeMetrics } from '@selvedge/kube';
import { apiServerLimits, createAdmissionWebhook, strangerLimits } from './admission/index.ts';
import type { Caches } from './caches.ts';
import type { WebhookConfig } from './config/index.ts';
import { configured } from './configured.ts';
import { parseRequest } from './csr/index.ts';
import type { Bans } from './edge-nodes/index.ts';
import { present } from './present.ts';
import {
  type ShownCertificate,
  type SmallServerDeps,
  createCaFile,
  createPemFiles,
  createSmallServer,
} from './serving/index.ts';
import { type StartedLater, startedLater } from './started-later.ts';
import { createWebhookCertificates } from './webhook-certificates/index.ts';

export interface WebhookDeps {
  readonly namespace: string;
  readonly caches: Caches;
  readonly bans: Bans;
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly kubeMetrics: KubeMetrics;
}

/** Where API servers ask, if they are to ask at all. */
export interface Webhook extends Partial<StartedLater> {
  /** What the config names: to be started first. */
  readonly files: readonly Service[];
  readonly shown: readonly ShownCertificate[];
  /** Once started. */
  readonly port: number | undefined;
  /** What the leader has to do about it, for each time that this server leads. */
  readonly keepers: () => readonly Service[];
}

interface Certificate extends Pick<Webhook, 'files' | 'keepers'> {
  /** What is to be started before the server. */
  readonly services: readonly Service[];
  readonly shown: ShownCertificate;
  readonly pem: SmallServerDeps['pem'];
}

type Made = Extract<WebhookConfig['certificate'], { kind: 'made' }>;

const dayMs = 24 * 3_600_000;

/** What API servers verify the certificate for. */
function namesOf({ reach }: WebhookConfig, { hosts }: Made): readonly string[] {
  const { service, url } = reach;
  const host = url === undefined ? undefined : new URL(url).hostname.replace(/^\[|\]$/g, '');
  const own = service === undefined ? host : `${service.name}.${service.namespace}.svc`;
  return Array.from(new Set(present(own, ...hosts)), (each) => (isIPv6(each) ? each : each.toLowerCase()));
}

function madeCertificate(settings: WebhookConfig, made: Made, deps: WebhookDeps): Certificate {
  const { namespace } = deps;
  const lifetimes = {
    servingMs: made.validityDays * dayMs,
    authorityMs: made.authorityDays * dayMs,
    overlapMs: made.overlapSeconds * 1_000,
  };
  const names = namesOf(settings, made);
  const certificates = createWebhookCertificates({ namespace, names, lifetimes }, deps);
  const { clientCaFile } = settings;
  const clients = clientCaFile === undefined ? undefined : createCaFile(clientCaFile, deps);
  return {
    files: present(clients && configured(clients)),
    services: [certificates],
    shown: certificates,
    pem: {
      get serving() {
        return certificates.serving;
      },
      onChange: (changed) => certificates.onChange(changed),
      get current() {
        return { clientCa: clients?.clientCa };
      },
    },
    keepers: () => [certificates.keeper()],
  };
}

function certificateOf(settings: WebhookConfig, deps: WebhookDeps): Certificate {
  const { certificate, clientCaFile } = settings;
  if (certificate.kind === 'made') return madeCertificate(settings, certificate, deps);
  const pem = createPemFiles({ ...certificate, clientCaFile }, deps);
  return { files: [configured(pem)], services: [], shown: pem, pem, keepers: () => [] };
}

const none: Webhook = { files: [], shown: [], port: undefined, keepers: () => [] };

/** As the config says; without it nothing is served. */
export function createWebhook(settings: WebhookConfig | undefined, deps: WebhookDeps): Webhook {
  if (settings === undefined) return none;
  const { caches, bans } = deps;
  const { pem, files, services, shown, keepers } = certificateOf(settings, deps);
  const handler = createAdmissionWebhook({
    ...deps,
    ...caches,
    isBanned: bans.isBanned,
    namesIn: parseRequest,
  });
  const { listen, clientCaFile } = settings;
  const clientCertificate = clientCaFile === undefined ? 'optional' : 'required';
  const limits = clientCaFile === undefined ? strangerLimits : apiServerLimits;
  const names = { name: 'webhook listener', subsystem: 'admission' };
  const options = { ...names, listen, clientCertificate, limits } as const;
  const server = createSmallServer(options, { ...deps, pem, handler });
  return {
    files,
    // It waits for its certificate, and tunnels do not wait for it; API servers ask it until the tunnels are drained.
    ...startedLater(createServiceGroup({ name: 'webhook', services: [...services, server] }, deps)),
    shown: [shown],
    keepers,
    get port() {
      return server.port;
    },
  };
}
