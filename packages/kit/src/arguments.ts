import { parseArgs } from 'node:util';
import { SelvedgeError } from './errors.ts';

/** What a program is asked for on its command line. */
export type ProgramCommand<K extends string> =
  | { readonly kind: K; readonly config: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'help' };

const options = {
  config: { type: 'string' },
  version: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** The command in the arguments of a program; each of `commands` wants `--config FILE`. Throws `Invalid`. */
export function parseProgramArguments<const K extends string>(
  program: { readonly name: string; readonly commands: readonly K[] },
  args: readonly string[],
): ProgramCommand<K> {
  const { name, commands } = program;
  const invalid = (message: string, cause?: unknown): SelvedgeError =>
    new SelvedgeError(message, { code: 'Invalid', hint: `${name} --help`, cause });
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (cause) {
    throw invalid('the command line is wrong', cause);
  }
  const { values, positionals } = parsed;
  if (values.help === true) return { kind: 'help' };
  if (values.version === true) return { kind: 'version' };
  const kind = commands.find((command) => command === positionals[0]);
  if (kind === undefined || positionals.length !== 1) {
    const quoted = commands.map((command) => `"${command}"`).join(', ');
    throw invalid(`expected ${commands.length === 1 ? 'the command' : 'one of the commands'} ${quoted}`);
  }
  if (values.config === undefined) throw invalid(`${kind} needs --config FILE`);
  return { kind, config: values.config };
}
