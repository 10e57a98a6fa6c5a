import { parseArgs } from 'node:util';
import { SelvedgeError } from '@selvedge/kit';

export type Command =
  | { readonly kind: 'run'; readonly config: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'help' };

export const usage = `edge-lite runs the pods of one edge node through containerd.

Usage:
  edge-lite run --config FILE   run until SIGTERM; logs are JSON lines on stderr
  edge-lite --version
  edge-lite --help

Exit codes:
  0  drained
  1  any other failure
  2  the config or the command line is wrong
  3  the cluster refuses this node; retrying does not help
  4  the state on disk cannot be used
`;

const invalid = (message: string, cause?: unknown): SelvedgeError =>
  new SelvedgeError(message, { code: 'Invalid', hint: 'edge-lite --help', cause });

/** The command in the arguments. Throws `Invalid`. */
export function parseCommand(args: readonly string[]): Command {
  const options = {
    config: { type: 'string' },
    version: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  let parsed;
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (cause) {
    throw invalid('the command line is wrong', cause);
  }
  const { values, positionals } = parsed;
  if (values.help === true) return { kind: 'help' };
  if (values.version === true) return { kind: 'version' };
  if (positionals.length !== 1 || positionals[0] !== 'run') throw invalid('expected the command "run"');
  if (values.config === undefined) throw invalid('run needs --config FILE');
  return { kind: 'run', config: values.config };
}
