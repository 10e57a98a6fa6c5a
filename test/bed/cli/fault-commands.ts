import { type Command, InvalidArgumentError, Option } from 'commander';
import { type CutKind, type Shape, cutKinds } from '../network/faults.ts';
import type { Program } from './program-context.ts';

const measures = {
  rate: { units: { '': 1, k: 1, kbit: 1, M: 1_000, Mbit: 1_000 }, example: '512kbit or 10Mbit' },
  time: { units: { '': 1, ms: 1, s: 1_000, m: 60_000 }, example: '150ms or 1.5s' },
} as const;

/** Reads a number with a unit: a rate in kbit/s, a time in milliseconds. */
export function measure(kind: keyof typeof measures): (text: string) => number {
  const { units, example } = measures[kind];
  const factors = new Map<string, number>(Object.entries(units));
  return (text) => {
    const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([a-zA-Z]*)$/.exec(text) ?? [];
    const factor = factors.get(unit);
    if (digits === undefined || factor === undefined)
      throw new InvalidArgumentError(`write it as ${example}`);
    return Number(digits) * factor;
  };
}

/** `2%` or `0.02`. */
export function share(text: string): number {
  const [, digits, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  if (digits === undefined) throw new InvalidArgumentError('write it as 2% or 0.02');
  return percent === '%' ? Number(digits) / 100 : Number(digits);
}

interface ShapeOptions {
  readonly rate?: number;
  readonly loss?: number;
  readonly latency?: number;
  readonly jitter?: number;
  readonly resets?: number;
}

export function toShape({ rate, loss, latency, jitter, resets }: ShapeOptions): Shape {
  return {
    ...(rate === undefined ? {} : { kilobitsPerSecond: rate }),
    ...(loss === undefined ? {} : { loss }),
    ...(latency === undefined ? {} : { latencyMs: latency }),
    ...(jitter === undefined ? {} : { jitterMs: jitter }),
    ...(resets === undefined ? {} : { resetEveryMs: resets }),
  };
}

/** Verbs for what is wrong with a site's WAN. */
export function addFaultCommands(root: Command, program: Program): void {
  root
    .command('cut <site>')
    .description('cut the WAN of a site')
    .addOption(
      new Option('--kind <kind>', 'packets are refused or vanish').choices(cutKinds).default('blackhole'),
    )
    .action(async (site: string, { kind }: { readonly kind: CutKind }) =>
      (await program.open()).cut(site, kind),
    );
  root
    .command('shape <site>')
    .description('make the WAN of a site slow and lossy in this way only')
    .option('--rate <rate>', 'in each direction, such as 512kbit or 10Mbit', measure('rate'))
    .option('--loss <share>', 'of the packets in each direction, such as 2%', share)
    .option('--latency <time>', 'added in each direction to TCP', measure('time'))
    .option('--jitter <time>', 'by which the latency varies', measure('time'))
    .option('--resets <time>', 'mean time after which a TCP connection is reset', measure('time'))
    .action(async (site: string, options: ShapeOptions) =>
      (await program.open()).shape(site, toShape(options)),
    );
  root
    .command('heal <site>')
    .description('end all faults of the WAN of a site')
    .action(async (site: string) => (await program.open()).heal(site));
}
