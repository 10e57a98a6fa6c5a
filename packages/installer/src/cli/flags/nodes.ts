import type { Command } from 'commander';
import { type NamedNode, type NodeChoice, parseNodeNames } from '../../cluster/index.ts';
import { parsedBy } from './common.ts';

/** Which nodes. */
export interface NodeFlags {
  readonly nodes?: readonly NamedNode[];
  readonly selector?: string;
}

export function withNodes(command: Command, whichByDefault: string): Command {
  return command
    .option(
      '--nodes <a,b>',
      `nodes by name; a=ADDRESS if the address in its Node is not reachable. Default: ${whichByDefault}`,
      parsedBy(parseNodeNames),
    )
    .option('--selector <k=v>', 'nodes by labels, in kubectl syntax');
}

export const choiceOf = ({ nodes, selector }: NodeFlags): NodeChoice => ({
  ...(nodes === undefined ? {} : { nodes }),
  ...(selector === undefined ? {} : { selector }),
});
