import type { CompletedCommand, CompletedFlag } from './words.ts';

const quoted = (text: string): string => `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;

/** True where the words so far are just this command. */
function conditionOf({ path, commands }: CompletedCommand): string {
  const seen = path.map((name) => `__fish_seen_subcommand_from ${name}`);
  const notYet =
    commands.length === 0
      ? []
      : [`not __fish_seen_subcommand_from ${commands.map(({ name }) => name).join(' ')}`];
  return [...seen, ...notYet].join('; and ');
}

function nameOf(name: string): string {
  return name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`;
}

function valueOf({ value }: CompletedFlag): string {
  switch (value?.kind) {
    case undefined:
      return '';
    case 'file':
      return ' -r -F';
    case 'choice':
      return ` -x -a ${quoted(value.choices.join(' '))}`;
    case 'any':
      return ' -x';
  }
}

function linesOf(command: CompletedCommand): readonly string[] {
  const condition = conditionOf(command);
  const when = condition === '' ? '' : ` -n ${quoted(condition)}`;
  return [
    ...command.commands.map(
      ({ name, description }) => `complete -c selvedge${when} -a ${name} -d ${quoted(description)}`,
    ),
    ...command.choices.map((choice) => `complete -c selvedge${when} -a ${choice}`),
    ...command.flags.map(
      (flag) =>
        `complete -c selvedge${when} ${flag.names.map(nameOf).join(' ')}${valueOf(flag)} -d ${quoted(flag.description)}`,
    ),
  ];
}

export function fishCompletion(commands: readonly CompletedCommand[]): string {
  return `# Completion of selvedge for fish: selvedge completion fish | source
complete -c selvedge -f
${commands.flatMap(linesOf).join('\n')}
`;
}
