import { type Command, run, runUnchecked } from '@selvedge/hack/setup';
import { tarOf } from '@selvedge/hack/image';
import type { MachineDisk } from './machine-mounts.ts';
import { type Argv, createDoors } from './doors.ts';
import { type MachineReference, enterMachine, machineInit } from './enter.ts';
import type { ExecOptions, Machine } from './types.ts';

/** What is done in a machine by programs of its own. */
export type Inside = Pick<Machine, 'argv' | 'exec' | 'execUnchecked' | 'writeFiles' | 'readFile'>;

export interface InsideOptions extends MachineReference {
  /** Absolute path of Node 24. */
  readonly node: string;
  readonly disk: MachineDisk;
}

/**
 * Everything goes through the machine's own root. A path below the upper folder would bypass the overlay, and one below
 * `/proc/PID/root` would follow the machine's absolute links into the host.
 */
export function createInside(options: InsideOptions): Inside {
  const enter = (argv: Argv): Promise<Argv> => enterMachine(options, options.node, argv);
  const command = async (argv: Argv, { input, signal }: ExecOptions = {}): Promise<Command> => {
    const isOn = (await machineInit(options)) !== undefined;
    return {
      argv: isOn ? await enter(argv) : createDoors(options.node).offline(options.disk, argv),
      signal,
      ...(input === undefined ? {} : { input }),
    };
  };
  const exec: Inside['exec'] = async (argv, execOptions) => run(await command(argv, execOptions));
  return {
    argv: enter,
    exec,
    execUnchecked: async (argv, execOptions) => runUnchecked(await command(argv, execOptions)),
    async writeFiles(entries, signal) {
      const argv = [
        'tar',
        '--extract',
        '--file=-',
        '--directory=/',
        '--keep-directory-symlink',
        '--touch',
      ] as const;
      await exec(argv, { input: await tarOf(entries), signal });
    },
    readFile: async (path, signal) => (await exec(['cat', '--', path], { signal })).stdout,
  };
}
