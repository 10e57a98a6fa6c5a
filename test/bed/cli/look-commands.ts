import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import type { Command } from 'commander';
import type { Bed } from '../bed.ts';
import { cloudSite } from '../description.ts';
import { bedNames } from '../names.ts';
import { inNamespace } from '../network/apply.ts';
import type { Program } from './program.ts';

async function logs(program: Program, bed: Bed, name: string | undefined, follow: boolean): Promise<number> {
  const names = (await readdir(bed.logs))
    .filter((file) => file.endsWith('.log'))
    .map((file) => file.slice(0, -4));
  if (name === undefined) {
    for (const each of names.toSorted()) program.terminal.print(each);
    return 0;
  }
  if (!names.includes(name)) {
    const hint = `there are ${names.toSorted().join(', ')}`;
    throw new SelvedgeError(`bed ${bed.name} has no log ${name}`, { code: 'NotFound', hint });
  }
  const file = join(bed.logs, `${name}.log`);
  return program.terminal.handOver(follow ? ['tail', '-n', '100', '-F', file] : ['cat', file]);
}

/** The namespace of a node, of a site's router, or of the cloud. */
async function namespaceOf(bed: Bed, name: string): Promise<string> {
  const names = bedNames(bed.name);
  const { nodes, sites } = await bed.describe();
  if (name === cloudSite) return names.cloud;
  if (nodes.some((node) => node.name === name)) return names.node(name);
  if (sites.some((site) => site.name === name)) return names.site(name);
  throw new SelvedgeError(`bed ${bed.name} has no node and no site ${name}`, { code: 'NotFound' });
}

/** Verbs that show and enter. They end with the exit code of the program that they ran. */
export function addLookCommands(root: Command, program: Program): void {
  root
    .command('logs [process]')
    .description('print a log, or which ones there are')
    .option('-f, --follow', 'go on as it grows')
    .action(async (name: string | undefined, { follow }: { readonly follow?: boolean }) => {
      program.exit(await logs(program, await program.open(), name, follow === true));
    });
  root
    .command('shell <where> [command...]')
    .description('a shell, or a command, in the network of a node, a site or the cloud')
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (where: string, command: readonly string[]) => {
      const namespace = await namespaceOf(await program.open(), where);
      const argv = command.length === 0 ? [program.shell] : command;
      program.exit(await program.terminal.handOver(inNamespace(namespace, argv)));
    });
  root
    .command('kubectl [arguments...]')
    .description("kubectl as the cluster's administrator; prints what kubectl prints and nothing else")
    .helpOption(false)
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (args: readonly string[]) => {
      const bed = await program.open();
      const { kubectl } = await program.deps.setup.assets({ binaries: ['kubectl'] as const });
      program.exit(await program.terminal.handOver([kubectl, `--kubeconfig=${bed.kubeconfig}`, ...args]));
    });
}
