import { BoundedMap } from './bounded-map.ts';
import type { Clock } from './clock.ts';
import type { LogFields, LogLevel, Logger } from './log.ts';

export interface RepeatLimitOptions {
  /** The same text is written at most once in this time, in milliseconds. */
  readonly windowMs: number;
  /** How many different texts are remembered. Default 256. */
  readonly maxTexts?: number;
}

interface Seen {
  readonly since: number;
  readonly suppressed: number;
}

/**
 * A logger for loops that fail again and again while a link is down: a repeated warning or error is written once per
 * window, with `suppressed` telling how many were left out since.
 */
export function limitRepeats(
  options: RepeatLimitOptions,
  deps: { readonly log: Logger; readonly clock: Pick<Clock, 'monotonicMs'> },
): Logger {
  const seen = new BoundedMap<string, Seen>({ capacity: options.maxTexts ?? 256 });
  const limited =
    (level: LogLevel, log: Logger) =>
    (text: string, fields: LogFields = {}): void => {
      const now = deps.clock.monotonicMs();
      const last = seen.get(text);
      if (last !== undefined && now - last.since < options.windowMs) {
        seen.set(text, { since: last.since, suppressed: last.suppressed + 1 });
        return;
      }
      seen.set(text, { since: now, suppressed: 0 });
      const suppressed = last?.suppressed ?? 0;
      log[level](text, suppressed === 0 ? fields : { ...fields, suppressed });
    };
  const wrap = (log: Logger): Logger => ({
    error: limited('error', log),
    warn: limited('warn', log),
    info: (text, fields) => log.info(text, fields),
    debug: (text, fields) => log.debug(text, fields),
    with: (fields) => wrap(log.with(fields)),
  });
  return wrap(deps.log);
}
