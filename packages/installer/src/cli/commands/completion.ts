import { type Command, Argument } from 'commander';
import { bashCompletion, completedCommands, fishCompletion, zshCompletion } from '../completion/index.ts';
import type { Program } from '../program.ts';

const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

export function addCompletion(root: Command, { host }: Program): void {
  root
    .command('completion')
    .description('print a shell completion script')
    .addArgument(new Argument('<shell>', 'the shell to complete for').choices(Object.keys(shells)))
    .addHelpText(
      'after',
      '\nbash: source <(selvedge completion bash); zsh: source <(selvedge completion zsh); fish: selvedge completion fish | source',
    )
    .action((shell: keyof typeof shells) => {
      host.stdout.write(shells[shell](completedCommands(root)));
    });
}
