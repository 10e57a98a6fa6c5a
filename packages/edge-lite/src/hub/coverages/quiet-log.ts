import type { Logger } from '@selvedge/kit';

/** For hundreds of the same kind: what each would say at `info` is for those who look closely. */
export function quietLog(log: Logger): Logger {
  return {
    error: (text, fields) => log.error(text, fields),
    warn: (text, fields) => log.warn(text, fields),
    info: (text, fields) => log.debug(text, fields),
    debug: (text, fields) => log.debug(text, fields),
    with: (fields) => quietLog(log.with(fields)),
  };
}
