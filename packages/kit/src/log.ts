import type { Clock } from './clock.ts';
import { SelvedgeError, explain, messageOf } from './errors.ts';
import { redact } from './redact.ts';

export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
/** `error` = someone must act, `warn` = may become one, `info` = state changes, `debug` = per request. */
export type LogLevel = (typeof logLevels)[number];
export type LogFields = Readonly<Record<string, unknown>>;

/** Constant text plus fields. An `error` field may hold anything thrown. */
export interface Logger {
  error(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  info(text: string, fields?: LogFields): void;
  debug(text: string, fields?: LogFields): void;
  /** A logger whose lines all carry `fields`. */
  with(fields: LogFields): Logger;
}

export interface JsonLoggerOptions {
  /** Lines less important than this are not written. */
  readonly level: LogLevel;
}

export interface JsonLoggerDeps {
  readonly clock: Pick<Clock, 'now'>;
  /** Receives one JSON document with its newline. */
  readonly write: (line: string) => void;
}

function errorFields(error: unknown): unknown {
  if (!(error instanceof SelvedgeError)) return explain(error);
  return { code: error.code, message: explain(error), ...error.details };
}

/** What a value becomes in a line, however deep it lies. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string') return redact(value);
  return value instanceof Error ? errorFields(value) : value;
}

/** A logger does not fail: what has no JSON, a circle say, is left out and the line says so. */
function lineOf(head: LogFields, fields: LogFields): string {
  const thrown = 'error' in fields ? { error: errorFields(fields['error']) } : {};
  try {
    return JSON.stringify({ ...head, ...fields, ...thrown }, plain);
  } catch (error) {
    return JSON.stringify({ ...head, unwritable: messageOf(error) });
  }
}

/** One JSON document per line: `time` (RFC 3339), `level`, `text`, then the fields; secrets redacted at any depth. */
export function createJsonLogger(options: JsonLoggerOptions, deps: JsonLoggerDeps): Logger {
  const shown = new Set(logLevels.slice(0, logLevels.indexOf(options.level) + 1));
  const make = (base: LogFields): Logger => {
    const at =
      (level: LogLevel) =>
      (text: string, fields: LogFields = {}): void => {
        if (!shown.has(level)) return;
        const time = new Date(deps.clock.now()).toISOString();
        deps.write(`${lineOf({ time, level, text }, { ...base, ...fields })}\n`);
      };
    return {
      error: at('error'),
      warn: at('warn'),
      info: at('info'),
      debug: at('debug'),
      with: (fields) => make({ ...base, ...fields }),
    };
  };
  return make({});
}

/** Writes nothing. */
export const silentLogger: Logger = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  with: () => silentLogger,
};
