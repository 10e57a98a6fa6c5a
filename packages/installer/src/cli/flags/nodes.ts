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
      `by name; a=ADDRESS where its Node does not say how it is reached. Default: ${whichByDefault}`,
      parsedBy(parseNodeNames),
    )
    .option('--selector <k=v>', 'by labels, as kubectl takes them');
}

export const choiceOf = ({ nodes, selector }: NodeFlags): NodeChoice => ({
  ...(nodes === undefined ? {} : { nodes }),
  ...(selector === undefined ? {} : { selector }),
});
