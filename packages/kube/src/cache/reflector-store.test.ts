import { SelvedgeError, createMetricsRegistry } from '@selvedge/kit';
import { createManualClock, recordingLogger } from '@selvedge/kit/testing';
import { describe, expect, it } from 'vitest';
import type { KubeClient } from '../client.ts';
import type { ConfigMap } from '../gen/types.ts';
import { createKubeMetrics } from '../metrics.ts';
import { resources } from '../resources.ts';
import type { WatchOptions } from '../watch/watch.ts';
import { createReflector } from './reflector.ts';
import { gatherReplacement, type Replacement } from './replacement.ts';
import { aborted, added, bookmark } from './testing-reflector.ts';

const { signal } = new AbortController();
const ignored = (): Replacement<ConfigMap> => gatherReplacement<ConfigMap>(() => undefined);

describe('the reflector', () => {
  it('takes no further event while its store is busy', async () => {
    const clock = createManualClock();
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const applied: string[] = [];
    const slow = createReflector<ConfigMap>(
      { resource: resources.configMaps },
      {
        client: {
          watch: async (_resource: unknown, options: WatchOptions) => ({
            async *[Symbol.asyncIterator]() {
              yield [bookmark('1', true)];
              applied.push('first taken');
              yield [added('a', '2')];
              applied.push('second taken');
              yield [added('b', '3')];
              await aborted(options.signal);
            },
            close: () => undefined,
          }),
        } as unknown as Pick<KubeClient, 'list' | 'watch'>,
        store: { beginReplace: ignored, apply: () => gate },
        clock,
        random: () => 1,
        log: recordingLogger(),
        metrics: createKubeMetrics(createMetricsRegistry()),
      },
    );
    await slow.start(signal);
    await clock.advance(0);
    expect(applied).toEqual(['first taken']);
    open();
    await clock.advance(0);
    expect(applied).toEqual(['first taken', 'second taken']);
    await slow.stop();
  });

  it('tries a batch again from the version before it when the store failed', async () => {
    const [clock, log] = [createManualClock(), recordingLogger()];
    const seen: WatchOptions[] = [];
    let fails = true;
    const failing = createReflector<ConfigMap>(
      { resource: resources.configMaps, initialResourceVersion: '1' },
      {
        client: {
          watch: async (_resource: unknown, options: WatchOptions) => {
            seen.push(options);
            return {
              async *[Symbol.asyncIterator]() {
                yield [added('a', '2')];
                await aborted(options.signal);
              },
              close: () => undefined,
            };
          },
        } as unknown as Pick<KubeClient, 'list' | 'watch'>,
        store: {
          beginReplace: ignored,
          apply() {
            if (fails) throw new SelvedgeError('disk full', { code: 'ResourceExhausted' });
          },
        },
        clock,
        random: () => 1,
        log,
        metrics: createKubeMetrics(createMetricsRegistry()),
      },
    );
    await failing.start(signal);
    await clock.asleep();
    fails = false;
    await clock.advance(500);
    expect(seen.slice(0, 2).map(({ resourceVersion }) => resourceVersion)).toEqual(['1', '1']);
    expect(log.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', text: 'list-watch broke off' }),
    );
    await failing.stop();
  });
});
