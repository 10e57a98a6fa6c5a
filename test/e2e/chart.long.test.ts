import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bed, nameBed, waitFor } from '@selvedge/bed';
import { ensureAssets, run } from '@selvedge/hack/setup';
import { systemClock } from '@selvedge/kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chartFolder, createHelm } from '../bed/helm.ts';
import { openAuthority } from '../bed/pki/certificate.ts';
import { managerArchive } from './support/manager-deployment.ts';

/** The chart and the image as they are shipped, on a stock node beside the control plane. */

const namespace = 'edge-system';
const node = 'cloud-1';
const stack = new AsyncDisposableStack();
let bed: Bed;

const kubectl = async (...args: readonly string[]): Promise<string> =>
  (await bed.kubectl([`--namespace=${namespace}`, ...args])).stdout.trim();

/** What `docs/tasks/cloud-manager.md` has people make, signed by the cluster's CA. */
async function createCertificate(folder: string, state: string): Promise<void> {
  const [certificate, key] = await Promise.all(
    ['ca.crt', 'ca.key'].map((file) => readFile(join(state, 'pki', file), 'utf8')),
  );
  const authority = await openAuthority({ certificate: certificate ?? '', key: key ?? '' }, systemClock);
  const pair = await authority.issue({
    commonName: 'cloud-manager',
    dnsNames: ['tunnel.example.com', `cloud-manager.${namespace}.svc`],
    usages: ['server', 'client'],
  });
  await writeFile(join(folder, 'tls.crt'), pair.certificate);
  await writeFile(join(folder, 'tls.key'), pair.key, { mode: 0o600 });
  const files = [join(folder, 'tls.crt'), join(folder, 'tls.key'), join(state, 'pki/ca.crt')];
  await kubectl(
    'create',
    'secret',
    'generic',
    'cloud-manager-tls',
    ...files.map((file) => `--from-file=${file}`),
  );
}

/** Straight into the node's containerd. */
async function importImage(state: string): Promise<void> {
  const { ctr } = await ensureAssets({ binaries: ['ctr'] });
  const where = ['--address', join(state, 'nodes', node, 'containerd.sock'), '--namespace', 'k8s.io'];
  await run({ argv: [ctr, ...where, 'images', 'import', '-'], input: await managerArchive() });
}

beforeAll(async () => {
  const name = await nameBed('chart');
  stack.defer(async () => {
    await Bed.down(name);
  });
  bed = await Bed.up({ name, nodes: [{ name: node, agent: 'stock', site: 'cloud' }] });
  const folder = await mkdtemp(join(tmpdir(), 'chart-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const state = join(bed.logs, '..');
  await kubectl('create', 'namespace', namespace);
  await createCertificate(folder, state);
  await importImage(state);
  const { helm: program } = await ensureAssets({ binaries: ['helm'] });
  const helm = createHelm({ program, kubeconfig: join(state, 'kubeconfig'), folder });
  // The bed has made the rights of hubs by hand.
  const options = ['--take-ownership', '--force-conflicts', '--set=image.pullPolicy=Never'];
  await helm('install', 'selvedge', chartFolder, `--namespace=${namespace}`, ...options);
});
afterAll(() => stack.disposeAsync());

const leader = (): Promise<string> =>
  kubectl('get', 'lease', 'cloud-manager', '--ignore-not-found', '--output=jsonpath={.spec.holderIdentity}');

const untilLed = (what: string, accepts: (holder: string) => boolean): Promise<string> =>
  waitFor({ what, timeoutMs: 120_000 }, systemClock, async () => {
    const holder = await leader();
    return holder !== '' && accepts(holder) && holder;
  });

test('two cloud-managers are ready, one of them leads, and the other takes over', async () => {
  await kubectl('rollout', 'status', 'deployment/cloud-manager', '--timeout=120s');
  const first = (await untilLed('a leader', () => true)).split('_')[0] ?? '';
  expect(first).toMatch(/^cloud-manager-/);
  await kubectl('delete', 'pod', first, '--wait=false');
  await untilLed('another leader', (holder) => !holder.startsWith(first));
});
