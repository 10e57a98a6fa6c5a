import { SelvedgeError } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { createIndexedStore } from '@selvedge/kube';
import { expect, test } from 'vitest';
import type { UnitAppObject } from '../objects.ts';
import { type AppReconcilerDeps, createAppReconciler } from './app-reconciler.ts';
import { createKeep } from './children/index.ts';
import { Openings, Refusals } from './facts/index.ts';
import { appOf, specOf } from './testing.ts';
import { AppView } from './view/index.ts';

const { signal } = new AbortController();

/** What a pass over the UnitApp does, in its order; `failure` is what units could not be brought by. */
function reconcilerOf(app: UnitAppObject, failure?: { readonly error: unknown }) {
  const done: unknown[] = [];
  const clock = createManualClock();
  const empty = createIndexedStore<never>();
  const apps = createIndexedStore<UnitAppObject>();
  apps.replace([app], '9');
  const children: readonly never[] = [];
  const keep = createKeep();
  const wanted = { number: 1, hash: 'a', name: 'till-a', content: {} };
  const parts = {
    view: new AppView({ apps, units: empty, revisions: empty, pods: empty, children, keep }),
    clock,
    openings: new Openings(),
    refusals: new Refusals(),
    history: {
      keep: async () => ({ revisions: new Map([[1, wanted]]), wanted, remove: [] }),
      content: async () => ({ template: app.spec.template }),
      remove: async () => void done.push('remove revisions'),
    },
    reporter: {
      report: async (_: unknown, { conditions }: NonNullable<UnitAppObject['status']>) =>
        void done.push(conditions?.find(({ type }) => type === 'Invalid')?.message),
    },
    carrier: { carryOut: async () => ({ moments: [], failure }) },
    sweeper: {
      sweep: async () => {
        done.push('sweep');
        return [clock.now() + 10_000];
      },
    },
  } as unknown as AppReconcilerDeps;
  const reconcile = createAppReconciler({ soonMs: 1_000 }, parts);
  return { done, run: () => reconcile('shops/till', signal) };
}

test('what is left is taken away though a unit could not be brought, and that is tried again', async () => {
  const { done, run } = reconcilerOf(appOf(), { error: new SelvedgeError('down', { code: 'Unavailable' }) });
  await expect(run()).rejects.toMatchObject({ code: 'Unavailable' });
  expect(done).toEqual(['', 'sweep', 'remove revisions']);
});

test('it is looked again when more may be taken away', async () => {
  expect(await reconcilerOf(appOf()).run()).toEqual({ againAfterMs: 10_000 });
});

test('a selector that is none is told, and nothing is done by it', async () => {
  const unitSelector = { matchExpressions: [{ key: 'a', operator: 'Near' as 'In' }] };
  const { done, run } = reconcilerOf(appOf(specOf('till:1', { unitSelector })));
  expect(await run()).toBeUndefined();
  expect(done).toEqual([expect.stringMatching(/^spec.unitSelector: .*Near/)]);
});
