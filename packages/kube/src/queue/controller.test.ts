import { createMetricsRegistry } from '@selvedge/kit';
import { createManualClock, recordingLogger } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';
import { createKubeMetrics } from '../metrics.ts';
import { createController, type ControllerDeps, type ControllerOptions } from './controller.ts';

const { signal } = new AbortController();

function world(
  reconcile: ControllerDeps['reconcile'],
  options: Partial<ControllerOptions> = {},
  keys: string[] = [],
) {
  const clock = createManualClock();
  const registry = createMetricsRegistry();
  const log = recordingLogger();
  const deps = {
    reconcile,
    keys: () => keys,
    clock,
    random: () => 0.5,
    log,
    metrics: createKubeMetrics(registry),
  };
  return { clock, registry, log, controller: createController({ name: 'test', ...options }, deps) };
}

describe('the controller loop', () => {
  it('looks at all keys at its start, at enqueued ones, and at all again later', async () => {
    const seen: string[] = [];
    const { controller, clock } = world(async (key) => void seen.push(key), { resyncMs: 1_000 }, ['a', 'b']);
    await controller.start(signal);
    await clock.advance(0);
    expect(seen).toEqual(['a', 'b']);
    controller.enqueue('c');
    await clock.advance(0);
    expect(seen).toEqual(['a', 'b', 'c']);
    await clock.advance(1_000);
    expect(seen).toEqual(['a', 'b', 'c', 'a', 'b']);
    await controller.stop();
    expect(clock.sleepers).toBe(0);
  });

  it('tries a failed key again with a growing delay, and counts it', async () => {
    let failures = 2;
    const at: number[] = [];
    const { controller, clock, registry, log } = world(
      async () => {
        at.push(clock.monotonicMs());
        failures -= 1;
        if (failures >= 0) throw new Error('not yet');
      },
      { backoff: { initialMs: 100, maxMs: 1_000 } },
      ['a'],
    );
    await controller.start(signal);
    await clock.advance(1_000);
    expect(at).toEqual([0, 75, 225]);
    expect(registry.render()).toContain('selvedge_kube_queue_keys_total{queue="test",outcome="retried"} 2');
    expect(registry.render()).toContain('selvedge_kube_queue_keys_total{queue="test",outcome="done"} 1');
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    await controller.stop();
  });

  it('gathers what is enqueued for later into one look', async () => {
    const at: number[] = [];
    const { controller, clock } = world(async () => void at.push(clock.monotonicMs()));
    await controller.start(signal);
    controller.enqueue('a', 100);
    await clock.advance(60);
    controller.enqueue('a', 100);
    await clock.advance(1_000);
    expect(at).toEqual([100]);
    await controller.stop();
  });

  it('comes back to a key when its reconciliation asks for it', async () => {
    const at: number[] = [];
    const { controller, clock } = world(
      async () => {
        at.push(clock.monotonicMs());
        return at.length < 3 ? { againAfterMs: 40 } : undefined;
      },
      {},
      ['a'],
    );
    await controller.start(signal);
    await clock.advance(1_000);
    expect(at).toEqual([0, 40, 80]);
    await controller.stop();
  });

  it('works on as many keys at a time as it has workers, and on each key once', async () => {
    const working: string[] = [];
    let most = 0;
    const gates = new Map<string, () => void>();
    const reconcile = async (key: string): Promise<void> => {
      working.push(key);
      most = Math.max(most, working.length);
      await new Promise<void>((resolve) => gates.set(key, resolve));
      working.splice(working.indexOf(key), 1);
    };
    const { controller, clock } = world(reconcile, { workers: 2 }, ['a', 'b', 'c']);
    await controller.start(signal);
    await clock.advance(0);
    expect(working).toEqual(['a', 'b']);
    controller.enqueue('a');
    gates.get('b')?.();
    await clock.advance(0);
    expect(working).toEqual(['a', 'c']);
    gates.get('a')?.();
    await clock.advance(0);
    expect(working).toEqual(['c', 'a']);
    gates.get('c')?.();
    gates.get('a')?.();
    await clock.advance(0);
    expect([working, most]).toEqual([[], 2]);
    await controller.stop();
  });

  it('stops what is under way by its signal and waits for it', async () => {
    let ended = false;
    const { controller, clock } = world(
      (_key, inner) =>
        new Promise<void>((_, reject) => {
          inner.addEventListener('abort', () => {
            ended = true;
            reject(inner.reason as Error);
          });
        }),
      {},
      ['a', 'b'],
    );
    await controller.start(signal);
    await clock.advance(0);
    await controller.stop();
    expect(ended).toBe(true);
    expect(controller.enqueue('c')).toBe(false);
  });
});
