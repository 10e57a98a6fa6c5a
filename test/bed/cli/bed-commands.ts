import { type Command, InvalidArgumentError, Option } from 'commander';
import { Bed, type BedOptions } from '../bed.ts';
import { type NodeAgent, type NodeOptions, containerdVersions, kubernetesVersions } from '../description.ts';
import { renderStatus } from './print-status.ts';
import type { Program } from './program-context.ts';
import { table } from './terminal.ts';

function wholeNumber(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('not a whole number from 0 to 999');
  return Number(text);
}

interface UpOptions {
  readonly stock: number;
  readonly lite: number;
  readonly containerd?: (typeof containerdVersions)[number];
  readonly kubernetes?: (typeof kubernetesVersions)[number];
  readonly signingDuration?: string;
  readonly tunnel?: boolean;
  readonly json?: boolean;
}

function nodes(agent: NodeAgent, count: number, options: UpOptions): NodeOptions[] {
  const { containerd } = options;
  return Array.from({ length: count }, (_, position) => ({
    name: `${agent}-${position + 1}`,
    agent,
    ...(containerd === undefined ? {} : { containerd }),
  }));
}

function bedOptions(options: UpOptions): BedOptions {
  const { kubernetes, signingDuration, tunnel } = options;
  return {
    nodes: [...nodes('stock', options.stock, options), ...nodes('lite', options.lite, options)],
    controlPlane: {
      ...(kubernetes === undefined ? {} : { version: kubernetes }),
      ...(signingDuration === undefined ? {} : { signingDuration }),
      ...(tunnel === undefined ? {} : { tunnel }),
    },
  };
}

async function printStatus(program: Program, bed: Bed, json: boolean | undefined): Promise<void> {
  const status = await bed.status();
  program.terminal.print(json === true ? JSON.stringify(status, undefined, 2) : renderStatus(status));
}

function addUp(root: Command, program: Program): void {
  root
    .command('up')
    .description('make the bed, or repair it; resolves once the nodes are Ready')
    .option('--stock <count>', 'stock nodes stock-1 … in the first site', wholeNumber, 0)
    .option('--lite <count>', 'lite nodes lite-1 … in the first site', wholeNumber, 0)
    .addOption(
      new Option('--containerd <version>', 'of the nodes that are added').choices(containerdVersions),
    )
    .addOption(new Option('--kubernetes <version>', 'of the control plane').choices(kubernetesVersions))
    .option('--signing-duration <duration>', 'life of certificates that the cluster signs, such as 3m')
    .option('--tunnel', 'cloud-manager in the cloud, and its agent in every edge-lite')
    .option('--no-tunnel', 'without it from now on')
    .option('--json', 'print the status as JSON')
    .action(async (options: UpOptions) => {
      const { signal, deps } = program;
      const bed = await Bed.up({ name: program.bedName(), ...bedOptions(options), signal }, deps);
      await printStatus(program, bed, options.json);
    });
}

function addDown(root: Command, program: Program): void {
  root
    .command('down')
    .description('remove the bed with all that it runs and holds')
    .option('-y, --yes', 'do not ask')
    .action(async (options: { readonly yes?: boolean }) => {
      const name = program.bedName();
      const question = `Remove the bed ${name} with all that it holds?`;
      if (options.yes !== true && !(await program.terminal.confirm(question))) return;
      await Bed.down(name, program.deps);
    });
}

export function addBedCommands(root: Command, program: Program): void {
  addUp(root, program);
  addDown(root, program);
  root
    .command('status')
    .description('what the bed is and whether it runs')
    .option('--json', 'print it as JSON')
    .action(async (options: { readonly json?: boolean }) => {
      await printStatus(program, await program.open(), options.json);
    });
  root
    .command('list')
    .description('the beds of this machine')
    .option('--json', 'print them as JSON')
    .action(async (options: { readonly json?: boolean }) => {
      const names = await Bed.list(program.deps);
      const text = options.json === true ? JSON.stringify(names) : table(names.map((name) => [name]));
      if (text !== '') program.terminal.print(text);
    });
}
