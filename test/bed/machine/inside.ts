import { type Command, run, runUnchecked } from '@selvedge/hack/setup';
import { SelvedgeError } from '@selvedge/kit';
import { tarOf } from '../images/tar.ts';
import type { MachineDisk } from './boot-plan.ts';
import type { Argv, Doors } from './doors.ts';
import { readHierarchyMounts } from './hierarchies.ts';
import type { Power } from './power.ts';
import type { ExecOptions, Machine } from './types.ts';

/** What is done in a machine by programs of its own. */
export type Inside = Pick<Machine, 'argv' | 'exec' | 'execUnchecked' | 'writeFiles' | 'readFile'>;

export interface InsideOptions {
  readonly name: string;
  readonly cgroup: string;
  readonly disk: MachineDisk;
}

/**
 * Everything goes through the machine's own root. A path below the upper folder would bypass the overlay, and one below
 * `/proc/PID/root` would follow the machine's absolute links into the host.
 */
export function createInside(options: InsideOptions, deps: { doors: Doors; power: Power }): Inside {
  const { name, cgroup, disk } = options;
  const { doors, power } = deps;
  const online = async (argv: Argv): Promise<Argv | undefined> => {
    const init = await power.init();
    if (init === undefined) return undefined;
    return doors.online({ cgroup, hierarchies: await readHierarchyMounts() }, init.pid, argv);
  };
  const command = async (argv: Argv, { input, signal }: ExecOptions = {}): Promise<Command> => ({
    argv: (await online(argv)) ?? doors.offline(disk, argv),
    signal,
    ...(input === undefined ? {} : { input }),
  });
  const exec: Inside['exec'] = async (argv, execOptions) => run(await command(argv, execOptions));
  return {
    async argv(argv) {
      const entered = await online(argv);
      if (entered !== undefined) return entered;
      throw new SelvedgeError(`${name} is off`, { code: 'Unavailable', hint: 'power it on' });
    },
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
