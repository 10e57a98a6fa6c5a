import { SelvedgeError, createMetricsRegistry, type ErrorCode } from '@selvedge/kit';
import { createManualClock, recordingLogger } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';
import type { KubeClient } from '../client.ts';
import type { Event, ObjectReference } from '../gen/types.ts';
import { createKubeMetrics } from '../metrics.ts';
import type { ObjectRef } from '../object.ts';
import { createEventRecorder, type EventRecorderOptions } from './recorder.ts';

const { signal } = new AbortController();
const pod: ObjectReference = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web', uid: 'u1' };
const warning = (message: string, reason = 'BackOff') => ({ type: 'Warning', reason, message }) as const;

/** An API of events only. */
function world(options: Partial<EventRecorderOptions> = {}) {
  const clock = createManualClock();
  const registry = createMetricsRegistry();
  const stored = new Map<string, Event>();
  const failures: ErrorCode[] = [];
  const calls: string[] = [];
  const answer = (call: string): void => {
    calls.push(call);
    const code = failures.shift();
    if (code !== undefined) throw new SelvedgeError('refused', { code });
  };
  const client = {
    async create(_resource: unknown, event: Event) {
      answer('create');
      stored.set(event.metadata.name ?? '', event);
      return event;
    },
    async patch(_resource: unknown, at: ObjectRef, { patch }: { readonly patch: { readonly body: object } }) {
      answer('patch');
      const event = stored.get(at.name);
      if (event === undefined) throw new SelvedgeError('no such event', { code: 'NotFound' });
      stored.set(at.name, { ...event, ...patch.body });
    },
  } as unknown as Pick<KubeClient, 'create' | 'patch'>;
  const recorder = createEventRecorder(
    { component: 'edge-lite', host: 'n1', ...options },
    { client, clock, random: () => 0.5, log: recordingLogger(), metrics: createKubeMetrics(registry) },
  );
  const outcomes = (outcome: string): number => {
    const line = registry.render().match(new RegExp(`events_total\\{outcome="${outcome}"\\} (\\d+)`));
    return Number(line?.[1] ?? 0);
  };
  return { recorder, clock, stored, calls, failures, outcomes, events: () => [...stored.values()] };
}

describe('the event recorder', () => {
  it('writes an event as people know it', async () => {
    const { recorder, clock, events } = world();
    await recorder.start(signal);
    recorder.record(pod, { ...warning('crashed'), annotations: { a: 'b' } });
    await clock.advance(0);
    expect(events()).toEqual([
      {
        metadata: {
          name: expect.stringMatching(/^web\.[0-9a-f]+$/),
          namespace: 'shop',
          annotations: { a: 'b' },
        },
        involvedObject: pod,
        type: 'Warning',
        reason: 'BackOff',
        message: 'crashed',
        source: { component: 'edge-lite', host: 'n1' },
        reportingComponent: 'edge-lite',
        reportingInstance: 'n1',
        count: 1,
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:00Z',
      },
    ]);
    await recorder.stop();
  });

  it('counts the same event instead of writing it again', async () => {
    const { recorder, clock, events } = world();
    await recorder.start(signal);
    for (let i = 0; i < 3; i += 1) {
      recorder.record(pod, warning('crashed'));
      await clock.advance(5_000);
    }
    expect(events()).toMatchObject([
      { count: 3, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:10Z' },
    ]);
    await recorder.stop();
  });

  it('writes anew, with its count, an event that the server forgot', async () => {
    const { recorder, clock, stored, events } = world();
    await recorder.start(signal);
    recorder.record(pod, warning('crashed'));
    await clock.advance(0);
    stored.clear();
    recorder.record(pod, warning('crashed'));
    await clock.advance(0);
    expect(events()).toMatchObject([{ count: 2 }]);
    await recorder.stop();
  });

  it('combines similar events from the tenth within ten minutes', async () => {
    const { recorder, clock, events } = world();
    await recorder.start(signal);
    for (let i = 1; i <= 12; i += 1) recorder.record(pod, warning(`try ${i}`));
    await clock.advance(0);
    expect(events()).toHaveLength(10);
    expect(events().at(-1)).toMatchObject({ message: '(combined from similar events): try 12', count: 3 });
    await clock.advance(601_000);
    recorder.record(pod, warning('try again'));
    await clock.advance(0);
    expect(events().at(-1)).toMatchObject({ message: 'try again', count: 1 });
    await recorder.stop();
  });

  it('lets an object cause 25 writes, then one in five minutes, and counts what it drops', async () => {
    const { recorder, clock, calls, outcomes } = world();
    await recorder.start(signal);
    for (let i = 0; i < 30; i += 1) recorder.record(pod, warning('crashed'));
    recorder.record({ ...pod, name: 'other', uid: 'u2' }, warning('crashed'));
    await clock.advance(0);
    expect([calls.length, outcomes('dropped')]).toEqual([26, 5]);
    await clock.advance(300_000);
    recorder.record(pod, warning('crashed'));
    recorder.record(pod, warning('crashed'));
    await clock.advance(0);
    expect(calls.length).toBe(27);
    await recorder.stop();
  });

  it('tries again while the API server is away, up to a bound', async () => {
    const { recorder, clock, failures, calls, outcomes } = world({ maxAttempts: 3 });
    await recorder.start(signal);
    failures.push('Unavailable', 'DeadlineExceeded');
    recorder.record(pod, warning('one'));
    await clock.advance(20_000);
    expect([calls.length, outcomes('sent')]).toEqual([3, 1]);
    failures.push('Unavailable', 'Unavailable', 'Unavailable');
    recorder.record(pod, warning('two'));
    await clock.advance(60_000);
    expect([calls.length, outcomes('failed')]).toEqual([6, 1]);
    await recorder.stop();
  });

  it('takes a refusal as final, and an event that is there already as sent', async () => {
    const { recorder, clock, failures, calls, outcomes } = world();
    await recorder.start(signal);
    failures.push('Forbidden', 'AlreadyExists');
    recorder.record(pod, warning('one'));
    recorder.record(pod, warning('two'));
    await clock.advance(60_000);
    expect([calls.length, outcomes('failed'), outcomes('sent')]).toEqual([2, 1, 1]);
    await recorder.stop();
  });

  it('drops the oldest when too many wait, and counts them', async () => {
    const { recorder, clock, events, outcomes } = world({ maxQueued: 2 });
    for (const message of ['one', 'two', 'three']) recorder.record(pod, warning(message));
    expect(outcomes('dropped')).toBe(1);
    await recorder.start(signal);
    await clock.advance(0);
    expect(events().map(({ message }) => message)).toEqual(['two', 'three']);
    await recorder.stop();
    expect(clock.sleepers).toBe(0);
  });

  it('names each event apart, puts those of the cluster scope in default, and cuts long messages', async () => {
    const { recorder, clock, events } = world();
    await recorder.start(signal);
    const node = { kind: 'Node', name: 'n1', uid: 'n1' };
    recorder.record(node, warning('x'.repeat(5_000)));
    recorder.record(node, warning('other'));
    await clock.advance(0);
    expect(new Set(events().map(({ metadata }) => metadata.name)).size).toBe(2);
    expect(events()[0]?.metadata.namespace).toBe('default');
    expect(Buffer.byteLength(events()[0]?.message ?? '')).toBeLessThanOrEqual(1_024);
    await recorder.stop();
  });
});
