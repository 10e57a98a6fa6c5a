import { readFile } from 'node:fs/promises';
import { dirname, join as path } from 'node:path';
import {
  type Artifact,
  type Host,
  type JoinArtifacts,
  type JoinDeps,
  type JoinOptions,
  type JoinResult,
  type Plan,
  type ResetDeps,
  type ResetResult,
  join,
  reset,
} from '@selvedge/installer';
import { SelvedgeError, createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import { certificatesOf } from '@selvedge/kit/x509';
import { createKubeClient, createKubeMetrics, pinOf } from '@selvedge/kube';
import { hostsOf } from './bare-machine.ts';
import { type Loss, quiet } from './installer-library.ts';
import { documented } from '../../integration/selvedge-documents.ts';
import type { Site } from './site.ts';

/** A person at a machine. */
export interface Operator {
  /** The plans that were agreed to. */
  readonly plans: readonly Plan[];
  options(name: string, token: string): Promise<JoinOptions>;
  join(host: Host, options: JoinOptions): Promise<JoinResult>;
  reset(
    host: Host,
    options?: { readonly keepImages?: boolean; readonly deletes?: boolean },
  ): Promise<ResetResult>;
}

/** Joins machines to the cluster of a site. */
export function operatorOf(
  site: Pick<Site, 'bed' | 'client' | 'signal'>,
  program: Artifact,
  packages?: NonNullable<JoinArtifacts['packages']>,
): Operator {
  const plans: Plan[] = [];
  const context = (host: Host): ResetDeps => ({
    hosts: hostsOf(host),
    progress: quiet,
    agree: async (plan) => {
      plans.push(plan);
      return true;
    },
    clock: systemClock,
    random: Math.random,
    signal: site.signal,
    version: '0.0.0',
  });
  const connect: JoinDeps['connect'] = (server, credentials) =>
    createKubeClient(
      { servers: [server], userAgent: 'selvedge-e2e' },
      {
        credentials,
        clock: systemClock,
        random: Math.random,
        log: silentLogger,
        metrics: createKubeMetrics(createMetricsRegistry()),
      },
    );
  return {
    plans,
    async options(name, token) {
      const ca = await readFile(path(dirname(site.bed.kubeconfig), 'pki/ca.crt'), 'utf8');
      const [caHash = ''] = certificatesOf(ca).map(pinOf);
      return { server: site.bed.server, token, caHash, machine: { name, addresses: [] } };
    },
    async join(host, options) {
      const artifacts = { edgeLite: async () => program, ...(packages === undefined ? {} : { packages }) };
      return documented('JoinResult', await join(options, { ...context(host), connect, artifacts }));
    },
    async reset(host, { keepImages = false, deletes = true } = {}) {
      const options = { machine: { name: host.name, addresses: [] }, keepImages };
      const deps = { ...context(host), cluster: deletes ? site.client : undefined };
      return documented('ResetResult', await reset(options, deps));
    },
  };
}

/** A machine that is lost at one command, before or after it had its effect, for as long as this run goes on. */
export function losing(
  host: Host,
  at: number,
  when: 'before' | 'after',
): Host & { readonly commands: number } {
  let commands = 0;
  return {
    ...host,
    get commands() {
      return commands;
    },
    async run(command, signal) {
      const number = commands;
      commands += 1;
      if (number < at) return host.run(command, signal);
      if (number === at && when === 'after') await host.run(command, signal);
      throw new SelvedgeError('the machine is lost', { code: 'Unavailable' });
    },
  };
}

/** A machine that is lost as soon as a command fits, for as long as this run goes on. */
export function losingWhere(host: Host, loss: Loss): Host {
  let isLost = false;
  return {
    ...host,
    async run(command, signal) {
      isLost ||= loss(host.name, command);
      if (!isLost) return host.run(command, signal);
      throw new SelvedgeError('the machine is lost', { code: 'Unavailable' });
    },
  };
}
