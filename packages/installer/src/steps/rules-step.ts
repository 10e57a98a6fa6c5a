import type { Argv } from '../host/index.ts';
import type { Executor, ExecutorDeps } from './executor.ts';
import type { RulesStep } from './lite-types.ts';
import { isWithoutRules, pluginChainsIn, tablesIn, withoutPluginChains } from './packet-rules.ts';
import { runOrThrow } from './run-or-throw.ts';

const tools = ['iptables', 'ip6tables'] as const;
type Tool = (typeof tools)[number];

export function rulesExecutor({ host }: ExecutorDeps): Executor<RulesStep> {
  /** Empty where the program is not there, or cannot: then nobody made rules by it. */
  const printed = async (argv: Argv, signal: AbortSignal): Promise<string> => {
    const { exitCode, stdout } = await host.run({ argv }, signal);
    return exitCode === 0 ? stdout.toString() : '';
  };
  const saved = (tool: Tool, signal: AbortSignal): Promise<string> =>
    printed([`${tool}-save`, '-t', 'nat'], signal);
  const tables = async (signal: AbortSignal): Promise<readonly string[]> =>
    tablesIn(await printed(['nft', 'list', 'tables'], signal));
  const removeTable = async (table: string, signal: AbortSignal): Promise<void> => {
    const words = table.split(' ');
    const listed = await printed(['nft', '--json', 'list', 'table', ...words], signal);
    if (listed === '' || !isWithoutRules(listed)) return;
    await runOrThrow(host, { argv: ['nft', 'delete', 'table', ...words] }, signal);
  };
  return {
    look: async (_step, signal) => ({
      kind: 'tables',
      names: await tables(signal),
      chains: {
        iptables: pluginChainsIn(await saved('iptables', signal)),
        ip6tables: pluginChainsIn(await saved('ip6tables', signal)),
      },
    }),
    apply: () => Promise.resolve(),
    async undo(_step, before, signal) {
      if (before.kind !== 'tables') return;
      for (const tool of tools) {
        const script = withoutPluginChains(await saved(tool, signal), before.chains[tool]);
        if (script === undefined) continue;
        await runOrThrow(host, { argv: [`${tool}-restore`, '--noflush'], stdin: script }, signal);
      }
      for (const table of await tables(signal)) {
        if (!before.names.includes(table)) await removeTable(table, signal);
      }
    },
  };
}
