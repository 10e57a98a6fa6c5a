import { type ProgramCommand, parseProgramArguments } from '@selvedge/kit';

/** Commands that want a config. */
const commands = ['run', 'webhook-configuration', 'egress-configuration'] as const;

export type Command = ProgramCommand<(typeof commands)[number]>;

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

/** The command in the arguments. Throws `Invalid`. */
export const parseCommand = (args: readonly string[]): Command =>
  parseProgramArguments({ name: 'cloud-manager', commands }, args);
