import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type MetricsRegistry, createMetricsRegistry, silentLogger, systemClock } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import { createKubeClient, createKubeMetrics } from '@selvedge/kube';
import { createTunnelAgent } from '@selvedge/tunnel/agent';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig as loadManagerConfig } from '../../packages/cloud-manager/src/config/index.ts';
import { createManager } from '../../packages/cloud-manager/src/manager.ts';
import { createAgent } from '../../packages/edge-lite/src/agent.ts';
import { loadConfig, paths } from '../../packages/edge-lite/src/config/index.ts';
import { createMachineHost } from '../../packages/edge-lite/src/machine-host.ts';
import { readMachine } from '../../packages/edge-lite/src/pods/index.ts';
import { type TemporaryStore, createTemporaryStore } from '../../packages/edge-lite/src/store/testing.ts';
import { createSystemd } from '../../packages/edge-lite/src/systemd.ts';

/** Both programs with all that can be switched on, composed and not started: what they have is there from then on. */

const page = join(import.meta.dirname, '../../docs/metrics.md');
const deps = { clock: systemClock, random: seededRandom(7), log: silentLogger, newUid: randomUUID };

let store: TemporaryStore;
beforeEach(async () => {
  store = await createTemporaryStore();
});
afterEach(() => store[Symbol.asyncDispose]());

async function writeConfig(program: string, config: object): Promise<string> {
  const file = join(store.folder, `${program}.yaml`);
  const head = { apiVersion: `${program}.selvedge.io/v1alpha1`, kind: 'Config' };
  await writeFile(file, JSON.stringify({ ...head, ...config }));
  return file;
}

async function composeAgent(metrics: MetricsRegistry): Promise<void> {
  const file = await writeConfig('edge-lite', {
    nodeName: 'shop-7',
    root: store.folder,
    server: { urls: ['https://203.0.113.9:6443'], caHash: `sha256:${'0a'.repeat(32)}` },
    modules: { hub: {}, pods: {}, tunnel: { servers: ['203.0.113.9:7443'] } },
  });
  const config = await loadConfig(file);
  createAgent(config, paths(config.root), {
    ...deps,
    metrics,
    systemd: createSystemd({ env: {}, pid: 1 }),
    store: store.store,
    machine: await readMachine(),
    kill: () => undefined,
    proxy: undefined,
    ...createMachineHost(),
  });
}

async function composeManager(metrics: MetricsRegistry): Promise<void> {
  const listen = '127.0.0.1:0';
  const files = { certificateFile: '/x.crt', keyFile: '/x.key' };
  const file = await writeConfig('cloud-manager', {
    tunnel: { listen: [listen], ...files, clientCaFile: '/ca' },
    health: { listen, ...files },
    webhook: { listen, reach: { url: 'https://203.0.113.9' } },
    egress: { unixSocket: '/egress.sock', tls: { listen, ...files, clientCaFile: '/ca' } },
    connectProxy: { listen, ...files },
    kubeletProxy: { listen },
  });
  const kubeMetrics = createKubeMetrics(metrics);
  const client = createKubeClient(
    { servers: ['https://203.0.113.9:6443'], userAgent: 'test' },
    { ...deps, credentials: async () => ({}), metrics: kubeMetrics },
  );
  createManager(
    { config: await loadManagerConfig(file, {}), server: 'one', namespace: 'default' },
    { ...deps, client, metrics, kubeMetrics },
  );
}

/** edge-lite makes its own at its start: it takes files. */
async function composeTunnelAgent(metrics: MetricsRegistry): Promise<void> {
  createTunnelAgent(
    { servers: [{ address: '203.0.113.9:7443' }] },
    {
      ...deps,
      metrics,
      credentials: () => Promise.reject(new Error('not started')),
      allow: ({ host }) => ({ kind: 'refused', reason: host }),
    },
  );
}

/** `name type`, sorted. */
const rows = (all: Iterable<string>): readonly string[] => [...new Set(all)].toSorted();

test('docs/metrics.md has each metric of either program with its type, and no other', async () => {
  const registered: string[] = [];
  for (const compose of [composeAgent, composeTunnelAgent, composeManager]) {
    const metrics = createMetricsRegistry();
    await compose(metrics);
    registered.push(
      ...metrics
        .render()
        .matchAll(/^# TYPE (.+)$/gm)
        .map(([, row = '']) => row),
    );
  }
  const documented = (await readFile(page, 'utf8')).matchAll(/^\| (`selvedge_[^|]+) \| (\w+) \|/gm);
  const named = documented.flatMap(([, names = '', type]) =>
    names.matchAll(/`([^`]+)`/g).map(([, name]) => `${name} ${type}`),
  );
  expect(rows(named)).toEqual(rows(registered));
});
