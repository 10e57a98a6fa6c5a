import { SelvedgeError } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import { expect, it } from 'vitest';
import { type DeleteNodeDeps, deleteNode } from './delete-node.ts';

const { signal } = new AbortController();
const notFound = new SelvedgeError('there is none', { code: 'NotFound' });
const guarded = new SelvedgeError('node till-5 is Autonomous', { code: 'Forbidden' });

/** A cloud in which so many attempts to delete the Node are denied. */
function cloudOf({ refusal, denials = 0 }: { readonly refusal?: SelvedgeError; readonly denials?: number }) {
  const asked: string[] = [];
  const clock = createManualClock();
  const cluster = {
    patch: async () => {
      asked.push('allow');
      if (refusal !== undefined) throw refusal;
      return { metadata: {} };
    },
    delete: async () => {
      asked.push('delete');
      if (asked.length - 1 <= denials) throw guarded;
    },
  };
  // What is written is not looked at by its type here.
  const deps: DeleteNodeDeps = { cluster: cluster as unknown as DeleteNodeDeps['cluster'], clock, signal };
  return { asked, clock, deps };
}

it('the guard of nodes that are cut off is told before, and has heard it a moment later', async () => {
  const { asked, clock, deps } = cloudOf({ denials: 1 });
  const deleted = deleteNode('till-5', deps);
  await clock.asleep();
  await clock.advance(200);
  await deleted;
  expect(asked).toEqual(['allow', 'delete', 'delete']);
});

it('a guard that has heard it and denies it is believed', async () => {
  const { clock, deps } = cloudOf({ denials: 1_000 });
  const refusal = deleteNode('till-5', deps).catch((error: unknown) => error);
  await clock.asleep();
  await clock.advance(6_000);
  expect(await refusal).toBe(guarded);
});

it.each([
  ['without EdgeNodes', notFound],
  ['whose EdgeNodes others write', new SelvedgeError('you may not patch', { code: 'Forbidden' })],
])('a cluster %s is asked once', async (_what, refusal) => {
  const { asked, deps } = cloudOf({ refusal, denials: 1 });
  await expect(deleteNode('till-5', deps)).rejects.toBe(guarded);
  expect(asked).toEqual(['allow', 'delete']);
});
