import { Bed, type KubernetesVersion, type NodeOptions, nameBed } from '@selvedge/bed';
import { afterAll, beforeAll } from 'vitest';
import { until } from './programs.ts';

export interface TunnelBedOptions {
  /** Begins the bed's name. */
  readonly prefix: string;
  readonly version?: KubernetesVersion;
  /** Each in a site of its own, which is named here; all sites have the same addresses. */
  readonly nodes: readonly (NodeOptions & { readonly site: string })[];
}

/** A bed whose API server reaches nodes through the tunnel. Usable inside tests and hooks. */
export interface TunnelBed {
  readonly bed: Bed;
  /** Creates objects, and resolves once the pods among them are ready. */
  create(items: readonly object[]): Promise<void>;
  /** What the API server answers to a GET. */
  get(path: string): Promise<string>;
  /** The address of a node in its site. */
  addressOf(node: string): Promise<string>;
  /** Whether a URL answers a program on a node, or in a site's network. */
  answersIn(place: string, url: string): Promise<boolean>;
  /** Whether it answers a program in the cloud, which has a route to its address by way of a site's router. */
  answersCloud(site: string, url: string): Promise<boolean>;
}

/** What curl ends with when nobody has answered in time. Source: curl(1), "Exit codes". */
const timedOut = /exit code 28\b/;

class LiveTunnelBed implements TunnelBed {
  #name: string | undefined;
  #bed: Bed | undefined;

  get bed(): Bed {
    if (this.#bed === undefined) throw new TypeError('the bed is there only inside tests and hooks');
    return this.#bed;
  }

  async open({ prefix, version, nodes }: TunnelBedOptions): Promise<void> {
    const sites = [...new Set(nodes.map(({ site }) => site))].map((name) => ({ name }));
    const controlPlane = { tunnel: true, ...(version === undefined ? {} : { version }) };
    this.#name = await nameBed(prefix);
    this.#bed = await Bed.up({ name: this.#name, controlPlane, sites, nodes });
    await until('the default service account', async () =>
      (await this.bed.kubectl(['get', 'serviceaccounts', '--output=name'])).stdout.includes('/default'),
    );
  }

  async close(): Promise<void> {
    if (this.#name !== undefined) await Bed.down(this.#name);
  }

  async create(items: readonly object[]): Promise<void> {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    await this.bed.kubectl(['create', '--filename=-'], { input });
    await this.bed.kubectl(['wait', '--for=condition=Ready', 'pods', '--all', '--timeout=60s']);
  }

  async get(path: string): Promise<string> {
    return (await this.bed.kubectl(['get', '--raw', path])).stdout;
  }

  async addressOf(node: string): Promise<string> {
    return (await this.bed.status()).nodes.find(({ name }) => name === node)?.address ?? '';
  }

  async answersIn(place: string, url: string): Promise<boolean> {
    try {
      await this.bed.exec(place, ['curl', '--silent', '--insecure', '--max-time', '1', url]);
      return true;
    } catch (error) {
      if (timedOut.test(String(error))) return false;
      throw error;
    }
  }

  async answersCloud(site: string, url: string): Promise<boolean> {
    const { sites } = await this.bed.status();
    const router = sites.find(({ name }) => name === site)?.address ?? '';
    const route = [`${new URL(url).hostname}/32`, 'via', router];
    await this.bed.exec('cloud', ['ip', 'route', 'add', ...route]);
    try {
      return await this.answersIn('cloud', url);
    } finally {
      await this.bed.exec('cloud', ['ip', 'route', 'del', ...route]);
    }
  }
}

/** Registers the hooks that make and remove a bed of the test file's own. Call it once, outside of tests. */
export function useTunnelBed(options: TunnelBedOptions): TunnelBed {
  const here = new LiveTunnelBed();
  beforeAll(() => here.open(options));
  afterAll(() => here.close());
  return here;
}
