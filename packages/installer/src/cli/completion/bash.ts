import type { CompletedCommand, CompletedFlag } from './words.ts';

const keyOf = ({ path }: CompletedCommand): string => ['selvedge', ...path].join(' ');

function commandCase(command: CompletedCommand): string {
  const { commands, choices, flags } = command;
  const words = [...commands.map(({ name }) => name), ...choices, ...flags.flatMap(({ names }) => names)];
  return `    '${keyOf(command)}') words='${words.join(' ')}' ;;`;
}

/** Only files are quoted, and folders given a slash: a command may be called like a folder. */
function replyOf(value: NonNullable<CompletedFlag['value']>): string {
  switch (value.kind) {
    case 'any':
      return '';
    case 'choice':
      return `mapfile -t COMPREPLY < <(compgen -W '${value.choices.join(' ')}' -- "$word"); `;
    case 'file':
      return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); ';
  }
}

function valueCases(command: CompletedCommand): readonly string[] {
  return command.flags.flatMap(({ names, value }) => {
    if (value === undefined) return [];
    const patterns = names.map((name) => `'${keyOf(command)} ${name}'`).join(' | ');
    return [`    ${patterns}) ${replyOf(value)}return ;;`];
  });
}

/** For bash 4.4 or newer; needs no bash-completion. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const names = commands.filter(({ path }) => path.length > 0).map((one) => `'${keyOf(one)}'`);
  return `# Completion of selvedge for bash: source <(selvedge completion bash)
_selvedge() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=selvedge words= each
  # --flag=value is three words, as COMP_WORDBREAKS has it.
  if [[ $word == = ]]; then word=
  elif [[ $before == = ]]; then before=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  for each in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$command $each" in
      ${names.join(' | ')}) command="$command $each" ;;
    esac
  done
  COMPREPLY=()
  case "$command $before" in
${commands.flatMap(valueCases).join('\n')}
  esac
  case "$command" in
${commands.map(commandCase).join('\n')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _selvedge selvedge
`;
}
