import { systemClock } from '@selvedge/kit';
import { newSamples, type Samples } from './latency.ts';
import { sides, type Subject } from './subject.ts';

export interface Memory {
  readonly resident: Samples;
  readonly anonymous: Samples;
}

/** Looks at both agents `looks` times, a second apart. */
export async function memory(subject: Subject, looks: number): Promise<Memory> {
  const [resident, anonymous] = [newSamples(), newSamples()];
  for (let look = 0; look < looks; look += 1) {
    for (const side of sides) {
      const use = await subject.use(side);
      resident[side].push(use.residentMb);
      anonymous[side].push(use.anonymousMb);
    }
    await systemClock.sleep(1_000, subject.signal);
  }
  return { resident, anonymous };
}

/** Processor time that both agents use in the same span, in percent of one processor. One sample a span. */
export async function idleCpu(subject: Subject, spans: number, spanMs: number): Promise<Samples> {
  const samples = newSamples();
  for (let span = 0; span < spans; span += 1) {
    const began = systemClock.monotonicMs();
    const before = { lite: await subject.use('lite'), stock: await subject.use('stock') };
    await systemClock.sleep(spanMs, subject.signal);
    const tookSeconds = (systemClock.monotonicMs() - began) / 1_000;
    for (const side of sides) {
      const ticks = (await subject.use(side)).cpuTicks - before[side].cpuTicks;
      samples[side].push(ticks / tookSeconds);
    }
  }
  return samples;
}
