import { type ProgramCommand, parseProgramArguments } from '@selvedge/kit';

/** Commands that want a config. */
const commands = ['run', 'status', 'clear'] as const;

export type Command = ProgramCommand<(typeof commands)[number]>;

export const usage = `edge-lite runs the pods of one edge node through containerd.

Usage:
  edge-lite run --config FILE     run until SIGTERM; logs are JSON lines on stderr
  edge-lite status --config FILE  what the one that runs says of itself and of its Node, as JSON
  edge-lite clear --config FILE   end the pods of this node and take away what they have on the machine
  edge-lite --version
  edge-lite --help

Exit codes:
  0  drained, or done
  1  any other failure
  2  the config or the command line is wrong
  3  the cluster refuses this node; retrying does not help
  4  the state on disk cannot be used
`;

/** The command in the arguments. Throws `Invalid`. */
export const parseCommand = (args: readonly string[]): Command =>
  parseProgramArguments({ name: 'edge-lite', commands }, args);
