import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type ContainerdVersion,
  type HostKind,
  type NodeAgent,
  containerdVersions,
  nodeAgents,
} from '../description.ts';
import type { Program } from './program-context.ts';

interface NodeAddOptions {
  readonly site?: string;
  readonly agent: NodeAgent;
  readonly containerd: ContainerdVersion;
  readonly kubeProxy?: boolean;
  readonly dns?: boolean;
  readonly label: Readonly<Record<string, string>>;
}

/** Collects `--label name=value`. */
function label(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const [name = '', ...value] = text.split('=');
  if (name === '' || value.length === 0) throw new InvalidArgumentError('not NAME=VALUE');
  return { ...before, [name]: value.join('=') };
}

function addNodeCommands(root: Command, program: Program, kind: HostKind): void {
  const noun = kind === 'light' ? 'node' : 'machine';
  const what = kind === 'light' ? 'nodes in namespaces' : 'nodes with systemd as their first process';
  const group = root.command(noun).description(what);
  group
    .command('add <name>')
    .description(`add a ${noun}; resolves once it is Ready`)
    .option('--site <site>', 'default: the first one; `cloud` puts it beside the control plane')
    .addOption(new Option('--agent <agent>', 'what makes it a node').choices(nodeAgents).default('stock'))
    .addOption(new Option('--containerd <version>').choices(containerdVersions).default('1.6'))
    .option('--kube-proxy', 'a stock kube-proxy beside edge-lite')
    .option('--no-kube-proxy', 'no kube-proxy beside the kubelet')
    .option('--dns', 'CoreDNS on the node, for its pods')
    .option('--label <name=value>', 'a label to register with; may be repeated', label, {})
    .action(async (name: string, options: NodeAddOptions) => {
      const { site, agent, containerd, kubeProxy, dns, label: labels } = options;
      await (await program.open()).addNode(
        {
          name,
          kind,
          agent,
          containerd,
          labels,
          ...(site === undefined ? {} : { site }),
          ...(kubeProxy === undefined ? {} : { kubeProxy }),
          ...(dns === undefined ? {} : { dns }),
        },
        program.signal,
      );
    });
  group
    .command('agent <name> <agent>')
    .description('turn a stock node into a converted one, or back, while its containers go on')
    .action(async (name: string, agent: string) => {
      if (agent !== 'stock' && agent !== 'converted')
        throw new InvalidArgumentError('not stock or converted');
      await (await program.open()).setAgent(name, agent, program.signal);
    });
  group
    .command('rm <name>')
    .description(`remove a ${noun}, its disk and its Node`)
    .action(async (name: string) => (await program.open()).removeNode(name, program.signal));
}

function addSiteCommands(root: Command, program: Program): void {
  const group = root.command('site').description('networks behind a router with NAT');
  group
    .command('add <name>')
    .option('--lan <cidr>', 'an IPv4 /24; default: 192.168.50.0/24, the same for all')
    .description('add a site')
    .action(async (name: string, { lan }: { readonly lan?: string }) =>
      (await program.open()).addSite({ name, ...(lan === undefined ? {} : { lan }) }, program.signal),
    );
  group
    .command('rm <name>')
    .description('remove a site without nodes')
    .action(async (name: string) => (await program.open()).removeSite(name, program.signal));
}

function addPowerCommands(root: Command, program: Program): void {
  root
    .command('reboot <node>')
    .description('end what runs politely and start the node again; resolves once it is Ready')
    .action(async (name: string) => (await program.open()).reboot(name, program.signal));
  root
    .command('power-cut <node>')
    .description('pull the plug and plug it in again; resolves once the node is Ready')
    .option('--off', 'leave the node off, until `up`')
    .option('--no-wait', 'do not wait until it is Ready: cut off, it is not')
    .action(async (name: string, { off, wait }: { readonly off?: boolean; readonly wait: boolean }) => {
      const bed = await program.open();
      await bed.powerCut(name, program.signal);
      if (off !== true) await bed.powerOn(name, { wait, signal: program.signal });
    });
}

/** Verbs for what a bed consists of. */
export function addPartCommands(root: Command, program: Program): void {
  addNodeCommands(root, program, 'light');
  addNodeCommands(root, program, 'machine');
  addSiteCommands(root, program);
  addPowerCommands(root, program);
}
