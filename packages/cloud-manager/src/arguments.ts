import { parseArgs } from 'node:util';
import { SelvedgeError } from '@selvedge/kit';

/** Commands that want a config. */
const commands = ['run', 'webhook-configuration', 'egress-configuration'] as const;

export type Command =
  | { readonly kind: (typeof commands)[number]; readonly config: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'help' };

export const usage = `cloud-manager holds the tunnels of edge nodes and decides what the cloud has to about them.

Usage:
  cloud-manager run --config FILE                     run until SIGTERM; logs are JSON lines on stderr
  cloud-manager webhook-configuration --config FILE   print what registers the admission webhook, for kubectl apply
  cloud-manager egress-configuration --config FILE    print what the API server's --egress-selector-config-file is to hold
  cloud-manager --version
  cloud-manager --help

Exit codes:
  0  drained
  1  any other failure
  2  the config, a file that it names or the command line is wrong
`;

const invalid = (message: string, cause?: unknown): SelvedgeError =>
  new SelvedgeError(message, { code: 'Invalid', hint: 'cloud-manager --help', cause });

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
  const kind = commands.find((command) => command === positionals[0]);
  if (kind === undefined || positionals.length !== 1) {
    throw invalid(`expected one of the commands ${commands.join(', ')}`);
  }
  if (values.config === undefined) throw invalid(`${kind} needs --config FILE`);
  return { kind, config: values.config };
}
