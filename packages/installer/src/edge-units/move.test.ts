import { edgeUnitConditions, labels } from '@selvedge/api';
import { SelvedgeError } from '@selvedge/kit';
import { seededRandom } from '@selvedge/kit/testing';
import type { KubeObject } from '@selvedge/kube';
import { expect, it } from 'vitest';
import type { Progress } from '../command/index.ts';
import { hastyClock } from '../steps/testing-clock.ts';
import type { EdgeUnitObject } from '../edge-objects.ts';
import type { UnitDeps } from './create.ts';
import { moveNode } from './move.ts';

const options = { node: 'till', unit: 'to', timeoutMs: 30_000 };
const away = new SelvedgeError('connection refused', { code: 'Unavailable' });

const unit = (isSettled: boolean): EdgeUnitObject => ({
  metadata: { name: 'to', generation: 1 },
  spec: { members: { names: ['till'] } },
  status: {
    observedGeneration: 1,
    conditions: [
      {
        type: edgeUnitConditions.settled,
        status: isSettled ? 'True' : 'False',
        lastTransitionTime: '2026-01-01T00:00:00Z',
        reason: '',
        message: '',
      },
    ],
  },
});
const node: KubeObject = { metadata: { name: 'till', labels: { [labels.nodeUnit]: 'to' } } };

/** A cloud whose unit is seen so, one look after the other, the last one for ever. */
function world(...looks: readonly (KubeObject | Error)[]) {
  const notes: string[] = [];
  const progress: Progress = {
    task: (_title, work) => work(progress),
    note: (text) => void notes.push(text),
  };
  let at = 0;
  const get = async (_resource: unknown, { name }: { readonly name: string }): Promise<KubeObject> => {
    if (name === 'till') return node;
    const look = looks[Math.min(at, looks.length - 1)];
    at += 1;
    if (look === undefined) throw away;
    if (look instanceof Error) throw look;
    return look;
  };
  const deps: UnitDeps = {
    cluster: { get, listAll: async () => ({ items: [unit(true)] }) } as never,
    progress,
    agree: async () => true,
    clock: hastyClock(),
    random: seededRandom(1),
    signal: new AbortController().signal,
    version: '1.0.0',
  };
  return { deps, notes };
}

it('a move is over when its units are settled, though the cloud is away for a moment', async () => {
  const { deps, notes } = world(unit(false), away, unit(true));
  expect(await moveNode(options, deps)).toEqual({ node: 'till', unit: 'to', left: [] });
  expect(notes).toEqual(['unit to is not settled', 'connection refused']);
});

it('a move that does not settle says what it lacks, and that it was requested', async () => {
  await expect(moveNode(options, world(unit(false)).deps)).rejects.toMatchObject({
    code: 'DeadlineExceeded',
    message:
      'timed out after 30 s waiting for the move of till to settle, which was requested: unit to is not settled',
    hint: expect.stringContaining('kubectl describe edgeunit to'),
  });
});
