import { isSea } from 'node:sea';
import { explain, startTuned } from '@selvedge/kit';
import { type Command, parseCommand, usage } from './arguments.ts';
import { exitCodeOf, originating } from './exit-code.ts';
import { tuning } from './tuning.ts';
import { version } from './version.ts';

/** The bundle is CommonJS and cannot load an addon; the sources are ES modules. */
const bundled = typeof __filename === 'string';

async function run(configFile: string): Promise<number> {
  startTuned(tuning, process, { single: isSea() });
  const { runAgent } = await import('./run.ts');
  return runAgent({
    configFile,
    driver: bundled ? 'node' : 'better',
    systemd: process,
    random: Math.random,
    host: process,
    kill: (pid) => process.kill(pid, 'SIGKILL'),
    write: (line) => process.stderr.write(line),
  });
}

/** What a command that ends by itself prints. */
async function outcome(command: Exclude<Command, { kind: 'run' }>): Promise<string> {
  if (command.kind === 'help') return usage;
  if (command.kind === 'version') return `edge-lite ${version}\n`;
  const { clearCommand, statusCommand } = await import('./commands/index.ts');
  const options = { configFile: command.config, random: Math.random };
  const { signal } = new AbortController();
  const found = await (command.kind === 'clear' ? clearCommand : statusCommand)(options, signal);
  return `${JSON.stringify(found)}\n`;
}

async function execute(command: Command): Promise<number> {
  if (command.kind === 'run') return run(command.config);
  process.stdout.write(await outcome(command));
  return 0;
}

async function main(): Promise<number> {
  try {
    return await execute(await originating('config', () => parseCommand(process.argv.slice(2))));
  } catch (error) {
    process.stderr.write(`edge-lite: ${explain(error)}\n`);
    return exitCodeOf(error);
  }
}

void main().then((code) => process.exit(code));
