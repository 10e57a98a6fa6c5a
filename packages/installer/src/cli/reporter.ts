import type { CliHost } from './host.ts';
import {
  type Reporter,
  createJsonReporter,
  createLiveReporter,
  createPlainReporter,
} from './progress/index.ts';
import { styleOf } from './text/index.ts';

/** What a terminal has that does not say how large it is. */
const usual = { columns: 80, rows: 24 };

/** How stderr is: for a program, for a person, for a log. */
export function createReporter(host: CliHost, options: { readonly json: boolean }): Reporter {
  const { stderr, clock, env } = host;
  const write = (text: string): void => void stderr.write(text);
  if (options.json) return createJsonReporter({ clock, write });
  const isLive = stderr.isTTY === true && env['TERM'] !== 'dumb';
  const style = styleOf(isLive, env);
  if (!isLive) return createPlainReporter({ clock, write, style });
  const terminal = {
    write,
    columns: () => stderr.columns ?? usual.columns,
    rows: () => stderr.rows ?? usual.rows,
  };
  return createLiveReporter({ terminal, clock, style });
}
