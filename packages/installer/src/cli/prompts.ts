import { confirm, isCancel, password } from '@clack/prompts';
import { SelvedgeError, aborted } from '@selvedge/kit';
import type { CliHost } from './host.ts';
import type { Reporter } from './progress/index.ts';

/** What is asked of the person at the terminal, on stderr: stdout is for results. */
export interface Prompts {
  /** No is what Enter says. */
  confirm(question: string): Promise<boolean>;
  /** Not shown while it is typed. */
  secret(question: string): Promise<string>;
}

function answerOf<T>(answer: T): Exclude<T, symbol> {
  // Ctrl-C at a prompt is no signal: the terminal is read key by key then.
  if (isCancel(answer)) throw aborted('selvedge');
  return answer as Exclude<T, symbol>;
}

export function createPrompts(host: CliHost, reporter: Reporter, signal: AbortSignal): Prompts {
  const common = { input: host.stdin, output: host.stderr, signal, withGuide: false };
  return {
    confirm: (message) =>
      reporter.aside(async () => answerOf(await confirm({ message, initialValue: false, ...common }))),
    secret: (message) => reporter.aside(async () => answerOf(await password({ message, ...common }))),
  };
}

/** Prompts where nobody is: each is an error with the name of the flag that says the same. */
export const unanswerable = (what: string, flag: string): SelvedgeError =>
  new SelvedgeError(`cannot ask for ${what}: no interactive terminal`, {
    code: 'Invalid',
    hint: `use ${flag}`,
  });
