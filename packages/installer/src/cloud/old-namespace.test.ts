import { SelvedgeError } from '@selvedge/kit';
import { createManualClock } from '@selvedge/kit/testing';
import type { KubeClient, KubeObject, Resource } from '@selvedge/kube';
import type { Namespace, NamespaceCondition } from '@selvedge/kube/types';
import { describe, expect, it } from 'vitest';
import { awaitOldNamespace } from './old-namespace.ts';

const { signal } = new AbortController();
const timeouts = { readyMs: 1, apiServerMs: 1, takenBackMs: 2_000 };

type Answer = Partial<Namespace> | SelvedgeError;

/** A cluster that answers so, one after the other, and then with the last for ever. */
function answering(...answers: readonly [Answer, ...Answer[]]): Pick<KubeClient, 'get'> {
  let [answer, ...left] = answers;
  return {
    async get<T extends KubeObject>(_resource: Resource<T>): Promise<T> {
      const given = answer;
      [answer = given, ...left] = left;
      if (given instanceof SelvedgeError) throw given;
      return { metadata: { name: 'selvedge-system' }, ...given } as T;
    },
  };
}

const gone = new SelvedgeError('no such namespace', { code: 'NotFound' });
const away = new SelvedgeError('nobody answers', { code: 'Unavailable' });
const condition = (type: string, status: string, message: string): NamespaceCondition => ({
  type,
  status,
  message,
});
const going = {
  metadata: { deletionTimestamp: '2026-11-22T08:00:00Z' },
  status: {
    conditions: [
      condition('NamespaceDeletionContentFailure', 'False', 'All content successfully deleted'),
      condition('NamespaceFinalizersRemaining', 'True', 'mine.example.com in 1 resource instances'),
    ],
  },
};

async function waited(cluster: Pick<KubeClient, 'get'>): Promise<{ notes: string[]; end: unknown }> {
  const clock = createManualClock();
  const notes: string[] = [];
  const progress = { note: (text: string) => notes.push(text) };
  const end = awaitOldNamespace({ cluster, clock, progress, signal, timeouts }).catch(
    (error: unknown) => error,
  );
  await clock.advance(3_000);
  return { notes, end: await end };
}

describe('the old namespace', () => {
  it('that is being deleted is waited for, and that is told', async () => {
    const { notes, end } = await waited(answering(going, going, gone));
    expect([end, notes]).toEqual([undefined, [expect.stringContaining('waiting until the old Namespace')]]);
  });

  it('that does not go is told with what keeps it', async () => {
    const { end } = await waited(answering(going));
    expect(end).toMatchObject({
      code: 'DeadlineExceeded',
      message: /2 s.*it is being deleted; mine\.example\.com in 1 resource instances$/,
    });
  });

  it.each([
    ['there is none', gone, undefined],
    ['it stays', {}, undefined],
    ['nobody answers', away, away],
  ])('is not waited for where %s', async (_what, answer, expected) => {
    const { notes, end } = await waited(answering(answer, going));
    expect([notes, end]).toEqual([[], expected]);
  });
});
