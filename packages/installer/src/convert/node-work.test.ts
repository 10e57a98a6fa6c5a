import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { recognize } from '../layouts/index.ts';
import { kubeadmNode } from '../layouts/testing-facts.ts';
import type { Workable } from './plan.ts';
import { createNodeWork } from './node-work.ts';

const artifact = { file: 'edge-lite', bytes: Buffer.alloc(0), sha256: 'f00', version: '0.0.0' };
const work = createNodeWork({ hubPort: 11_270 }, { artifacts: { edgeLite: async () => artifact } });

function newNode(): Workable {
  const facts = kubeadmNode();
  const recognition = recognize(facts);
  if (recognition.kind === 'unknown') throw new TypeError('nodes of kubeadm are known');
  const identity = { name: 'shop-1', uid: '1', labels: {}, addresses: [] };
  const node = { ...identity, role: 'worker', os: 'linux', isLite: false, isReady: true } as const;
  return { kind: 'new', node, machine: { facts, layout: recognition.layout, arch: 'amd64' } };
}

it('what the cloud tells of the tunnel reaches the machine, and so does what a person chose', async () => {
  const steps = await work.steps(newNode(), { servers: ['tunnel.example.com:443'], ca: 'PEM\n' });
  const files = new Map(steps.flatMap((step) => (step.kind === 'file' ? [[step.path, step.content]] : [])));
  const { modules } = parse(files.get('/etc/selvedge/edge-lite.yaml') ?? '') as { readonly modules: object };
  const caFile = '/var/lib/selvedge/pki/tunnel-ca.crt';
  expect(modules).toMatchObject({
    hub: { port: 11_270 },
    tunnel: { servers: ['tunnel.example.com:443'], caFile },
  });
  expect(files.get(caFile)).toBe('PEM\n');
});
