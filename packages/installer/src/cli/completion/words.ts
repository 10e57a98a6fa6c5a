import type { Command, Option } from 'commander';

/** A flag as a shell completes it. */
export interface CompletedFlag {
  /** `-y` and `--yes`. */
  readonly names: readonly string[];
  readonly description: string;
  /** Absent: it takes no value. */
  readonly value?:
    | { readonly kind: 'file' | 'any' }
    | { readonly kind: 'choice'; readonly choices: readonly string[] };
}

/** A command as a shell completes it. */
export interface CompletedCommand {
  /** Without the program's own name: empty for the program itself. */
  readonly path: readonly string[];
  readonly description: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly flags: readonly CompletedFlag[];
  /** What its first argument may be; empty: anything, or it takes none. */
  readonly choices: readonly string[];
}

function valueOf({ required, optional, argChoices, flags }: Option): CompletedFlag['value'] {
  if (!required && !optional) return undefined;
  if (argChoices !== undefined) return { kind: 'choice', choices: argChoices };
  return { kind: /<(file|folder)>/.test(flags) ? 'file' : 'any' };
}

function flagOf(option: Option): CompletedFlag {
  const value = valueOf(option);
  return {
    names: [option.short, option.long].filter((name) => name != null),
    description: option.description,
    ...(value === undefined ? {} : { value }),
  };
}

/** All commands of a program, itself first. */
export function completedCommands(
  command: Command,
  path: readonly string[] = [],
): readonly CompletedCommand[] {
  const help = command.createHelp();
  const own: CompletedCommand = {
    path,
    description: command.description(),
    commands: command.commands.map((one) => ({ name: one.name(), description: one.description() })),
    flags: help.visibleOptions(command).map(flagOf),
    choices: command.registeredArguments[0]?.argChoices ?? [],
  };
  return [own, ...command.commands.flatMap((one) => completedCommands(one, [...path, one.name()]))];
}
