import { SelvedgeError, createMetricsRegistry, silentLogger } from '@selvedge/kit';
import { createIndexedStore } from '@selvedge/kube';
import { describe, expect, test } from 'vitest';
import { unitNamed } from '../../testing.ts';
import { type Intent, createKeep } from '../children/index.ts';
import { Refusals } from '../facts/index.ts';
import { createAppMetrics } from '../metrics.ts';
import { appOf, intentNamed } from '../testing.ts';
import { AppView } from '../view/index.ts';
import { Carrier, type CarrierDeps } from './carrier.ts';
import type { Look } from './look.ts';

const { signal } = new AbortController();

const unitOf = (name: string, isConnected = true) => ({
  name,
  labels: {},
  revision: 1,
  edgeUnit: {
    ...unitNamed(name),
    status: { members: [{ name: 'node', state: isConnected ? ('Connected' as const) : undefined }] },
  },
});

const lookWith = (units: readonly ReturnType<typeof unitOf>[], more: Partial<Look> = {}): Look =>
  ({
    app: appOf(),
    units,
    history: { revisions: new Map() },
    rendering: {
      basis: '',
      of: ({ name }: { name: string }) => ({
        kind: 'intents',
        intents: [{ ...intentNamed('Deployment'), key: name }],
      }),
    },
    shared: { kind: 'intents', intents: [] },
    facts: { nowMs: 0 },
    isHeld: false,
    ...more,
  }) as unknown as Look;

/** Which units were touched. */
async function carried(look: Look, steps: readonly string[] = [], fails?: string) {
  const kept: string[] = [];
  const empty = createIndexedStore<never>();
  const children: readonly never[] = [];
  const keep = createKeep();
  const parts = {
    view: new AppView({ apps: empty, units: empty, revisions: empty, pods: empty, children, keep }),
    keeper: {
      keep: async ({ key }: Intent) => {
        if (key === fails) throw new SelvedgeError('down', { code: 'Unavailable' });
        return kept.push(key) > 0;
      },
    },
    refusals: new Refusals(),
    log: silentLogger,
    metrics: createAppMetrics(createMetricsRegistry(), () => []),
  } as unknown as CarrierDeps;
  const all = steps.map((unit) => ({ unit, revision: 2 }));
  const { failure } = await new Carrier({ soonMs: 1_000 }, parts).carryOut(look, all, signal);
  return { kept, failure };
}

describe('what is no step', () => {
  test('comes to units with a link only', async () => {
    const look = lookWith([unitOf('shop-1'), unitOf('shop-2', false)]);
    expect((await carried(look)).kept).toEqual(['shop-1']);
  });

  test('does not come where something cannot be used, nor do steps', async () => {
    const look = lookWith([unitOf('shop-1'), unitOf('shop-2')], { isHeld: true });
    expect((await carried(look, ['shop-2'])).kept).toEqual([]);
  });
});

test('a unit that cannot be brought holds up no other, and is told', async () => {
  const look = lookWith([unitOf('shop-1'), unitOf('shop-2')]);
  const { kept, failure } = await carried(look, [], 'shop-1');
  expect(kept).toEqual(['shop-2']);
  expect(failure?.error).toMatchObject({ code: 'Unavailable' });
});
