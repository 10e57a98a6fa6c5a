import { SelvedgeError } from '@selvedge/kit';
import { createManualClock, seededRandom } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';
import { createTestCluster } from '../cluster/testing-cluster.ts';
import type { Plan, Progress } from '../command/index.ts';
import type { NodeFacts } from '../facts/index.ts';
import type { Host } from '../host/index.ts';
import type { Layout } from '../layouts/index.ts';
import { convertWith } from './convert.ts';
import type { ConvertEngineDeps } from './engine.ts';
import type { ConvertOptions } from './types.ts';

const silent: Progress = { task: (_title, work) => work(silent), note: () => undefined };
const missing = new SelvedgeError('the release does not contain edge-lite for arm64', {
  code: 'NotFound',
  hint: 'use --artifacts',
});
const lost = new SelvedgeError('the machine is lost', { code: 'Unavailable' });
const tunnel = { servers: [], ca: undefined };

/** Two bare machines, of which one cannot be planned. The other is lost once its work begins, so that nothing is done to it. */
function twoNodes({ error = missing }: { readonly error?: Error } = {}) {
  const plans: Plan[] = [];
  const edges: (readonly string[])[] = [];
  const applied: unknown[] = [];
  const open = async ({ name }: { readonly name: string }): Promise<Host> => {
    if (plans.length > 0) throw lost;
    const run: Host['run'] = async () => ({
      exitCode: 1,
      stdout: Buffer.from('absent\n'),
      stderr: Buffer.alloc(0),
    });
    return { name, run, [Symbol.asyncDispose]: async () => undefined };
  };
  const layout = { name: 'kubeadm', role: 'node', nodeName: '', obstacles: [], converted: false };
  const isConverted = async (): Promise<boolean> => false;
  const deps: ConvertEngineDeps = {
    progress: silent,
    agree: async (plan) => {
      plans.push(plan);
      return true;
    },
    clock: createManualClock(),
    random: seededRandom(1),
    signal: new AbortController().signal,
    version: '1.0.0',
    cluster: createTestCluster([
      { name: 'till-1', isConverted },
      { name: 'till-2', isConverted },
    ]),
    hosts: { open },
    cloud: {
      plan: async (edge) => {
        edges.push(edge);
        return { parts: [], warnings: [], tunnel, edge } as never;
      },
      apply: async (plan) => {
        applied.push(plan);
        return { mode: 'unit', changed: 0, tunnel, instructions: [] };
      },
    },
    nodes: {
      gather: async () => ({ arch: 'x86_64' }) as NodeFacts,
      recognize: () => ({ kind: 'known', layout: layout as unknown as Layout }),
      steps: async ({ node }) => {
        if (node.name === 'till-1') throw error;
        return [{ kind: 'reload' }];
      },
      source: async () => Buffer.alloc(0),
    },
  };
  const options: ConvertOptions = {
    nodes: [{ name: 'till-1' }, { name: 'till-2' }],
    cloud: { tunnelServers: [{ host: 'tunnel', port: 443 }], mode: 'unit', dns: false, values: {} },
  };
  return { deps, options, plans, edges, applied };
}

describe('a node that cannot be planned', () => {
  it('is refused where failures are to be gone on from, and the others are worked on', async () => {
    const { deps, options, plans, edges, applied } = twoNodes();
    const result = await convertWith({ ...options, onFailure: 'continue' }, deps);
    const [first] = plans;
    expect(first?.parts.map(({ where }) => where)).toEqual(['node till-2']);
    expect(first?.warnings).toEqual([`till-1 is skipped: ${missing.message}`]);
    expect(result).toMatchObject({
      outcome: 'partly',
      nodes: [
        { node: 'till-1', outcome: 'refused', reason: missing.message, hint: 'use --artifacts' },
        { node: 'till-2', outcome: 'not-begun', reason: lost.message },
      ],
    });
    expect(edges).toEqual([['till-1', 'till-2'], ['till-2']]);
    expect(applied, 'the cloud was told of the one that becomes an edge node').toMatchObject([
      { edge: ['till-2'] },
    ]);
  });

  it('ends the run before its first change otherwise', async () => {
    const { deps, options, plans, applied } = twoNodes();
    await expect(convertWith(options, deps)).rejects.toBe(missing);
    expect([plans, applied]).toEqual([[], []]);
  });

  it('ends the run in any case if it is a bug', async () => {
    const bug = new TypeError('undefined is not a function');
    const { deps, options } = twoNodes({ error: bug });
    await expect(convertWith({ ...options, onFailure: 'continue' }, deps)).rejects.toBe(bug);
  });
});
