import { type Command, Option } from 'commander';
import {
  type MaxUnavailable,
  type OnFailure,
  type WaveOptions,
  parseMaxUnavailable,
} from '../../cluster/index.ts';
import { parsedBy } from './common.ts';
import { type NodeFlags, choiceOf } from './nodes.ts';

/** Which nodes, how many at a time, for how long, and what when one fails. */
export interface WaveFlags extends NodeFlags {
  readonly maxUnavailable?: MaxUnavailable;
  readonly onFailure: OnFailure;
  /** Milliseconds. */
  readonly timeout: number;
}

/** But `--timeout`, which each command explains itself. */
export function withWaves(command: Command, onFailure: OnFailure): Command {
  return command
    .option(
      '--max-unavailable <n>',
      'nodes of one unit to work on at a time: 2 or 25%; default: 1',
      parsedBy(parseMaxUnavailable),
    )
    .addOption(
      new Option('--on-failure <what>', 'whether to go on with the other nodes when one fails')
        .choices(['stop', 'continue'])
        .default(onFailure),
    );
}

export const waveOptionsOf = ({ maxUnavailable, onFailure, timeout, ...flags }: WaveFlags): WaveOptions => ({
  ...choiceOf(flags),
  maxUnavailable,
  onFailure,
  timeoutMs: timeout,
});
