import { join } from 'node:path';
import { namespaceFolder } from '../network/apply.ts';
import { type BootOptions, type BootPlan, bootPlan, offlinePlan, onlinePlan } from './boot-plan.ts';
import type { MachineDisk } from './machine-mounts.ts';

export type Argv = readonly [string, ...string[]];

const bootFile = join(import.meta.dirname, 'boot.ts');
const privateMounts = ['--mount', '--propagation', 'private'] as const;
const machineNamespaces = [...privateMounts, '--uts', '--ipc', '--pid', '--fork', '--kill-child'] as const;

/** The command lines that lead into a machine. `node` is the absolute path of Node 24, which carries out boot plans. */
export interface Doors {
  /** Boots. The machine lives as long as the process that this starts. */
  boot(options: BootOptions, namespace: string): Argv;
  /** A program in the cgroup and in all namespaces of the machine whose PID 1 this is. */
  online(options: Pick<BootOptions, 'cgroup' | 'hierarchies'>, init: number, argv: Argv): Argv;
  /** A program on the disk of a machine that is off. */
  offline(disk: MachineDisk, argv: Argv): Argv;
}

export function createDoors(node: string): Doors {
  const carryOut = (plan: BootPlan): Argv => [node, bootFile, JSON.stringify(plan)];
  return {
    boot: (options, namespace) => [
      'nsenter',
      // Not `ip netns exec`: it mounts a fresh /sys, which hides the cgroups.
      `--net=${namespaceFolder}/${namespace}`,
      '--',
      'unshare',
      ...machineNamespaces,
      '--',
      ...carryOut(bootPlan(options)),
    ],
    online: (options, init, argv) => {
      const all = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup'];
      return carryOut(onlinePlan(options, ['/usr/bin/nsenter', `--target=${init}`, ...all, '--', ...argv]));
    },
    offline: (disk, argv) => ['unshare', ...privateMounts, '--', ...carryOut(offlinePlan(disk, argv))],
  };
}
