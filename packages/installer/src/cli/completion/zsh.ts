import type { CompletedCommand, CompletedFlag } from './words.ts';

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
/** In a specification of _arguments. */
const escaped = (text: string): string => text.replaceAll(/[[\]:\\]/g, String.raw`\$&`);

const functionOf = (path: readonly string[]): string => ['_selvedge', ...path].join('_').replaceAll('-', '_');

function actionOf({ value }: CompletedFlag): string {
  switch (value?.kind) {
    case undefined:
      return '';
    case 'file':
      return ':file:_files';
    case 'choice':
      return `:value:(${value.choices.join(' ')})`;
    case 'any':
      return ':value: ';
  }
}

/** Where the value of a flag may stand: in its own word (`--to=x`, `-tx`), or in the next one. */
function placeOf(name: string, { value }: CompletedFlag): string {
  if (value === undefined) return '';
  return name.startsWith('--') ? '=' : '+';
}

const specsOf = (flag: CompletedFlag): readonly string[] =>
  flag.names.map((name) =>
    quoted(`*${name}${placeOf(name, flag)}[${escaped(flag.description)}]${actionOf(flag)}`),
  );

function functionText({ path, commands, flags, choices }: CompletedCommand): string {
  const specs = flags.flatMap(specsOf);
  if (commands.length === 0) {
    const argument = choices.length === 0 ? '*: : ' : `1: :(${choices.join(' ')})`;
    return `${functionOf(path)}() {\n  _arguments ${[...specs, quoted(argument)].join(' \\\n    ')}\n}`;
  }
  const names = commands.map(({ name, description }) =>
    quoted(`${name}:${description.replaceAll(':', String.raw`\:`)}`),
  );
  const cases = commands.map(({ name }) => `      ${name}) ${functionOf([...path, name])} ;;`);
  return `${functionOf(path)}() {
  local state line
  _arguments -C ${[...specs, "'1:command:->command'", "'*::argument:->argument'"].join(' \\\n    ')}
  case $state in
    command) local -a commands=(${names.join(' ')}); _describe command commands ;;
    argument) case $line[1] in
${cases.join('\n')}
    esac ;;
  esac
}`;
}

/** For zsh with `compinit`: by `source`, or as a file `_selvedge` in `$fpath`. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  return `#compdef selvedge
# Completion of selvedge for zsh: source <(selvedge completion zsh)
${commands.map(functionText).join('\n')}
if [ "$funcstack[1]" = _selvedge ]; then _selvedge "$@"; else compdef _selvedge selvedge; fi
`;
}
