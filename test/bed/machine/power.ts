import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { access, open } from 'node:fs/promises';
import type { Clock } from '@selvedge/kit';
import { removeCgroup } from '../host/cgroups.ts';
import { type ProcessIdentity, isRunning, signalProcess } from '../process/proc.ts';
import { killProcesses } from '../process/sweep.ts';
import { waitFor } from '../wait.ts';
import type { MachineDisk } from './machine-mounts.ts';
import type { Doors } from './doors.ts';
import { machineInit } from './enter.ts';
import { createMachineCgroup, readHierarchyMounts } from './hierarchies.ts';

/** Of those, a machine has what the host has. */
const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'fuse', 'kmsg', 'net/tun'].map(
  (name) => `/dev/${name}`,
);

export interface PowerOptions {
  readonly name: string;
  /** The name of a network namespace. */
  readonly namespace: string;
  /** Relative to each cgroup hierarchy. */
  readonly cgroup: string;
  readonly disk: MachineDisk;
  /** What the programs print before the machine has a journal. */
  readonly consoleFile: string;
  /** Added to the environment of the machine's PID 1. */
  readonly env: Readonly<Record<string, string>>;
}

export interface PowerDeps {
  readonly clock: Clock;
  readonly doors: Doors;
}

/** The power switch. What is on is seen from the kernel, not remembered: whoever knows the names can switch it off. */
export interface Power {
  /** PID 1, as the host sees it; undefined while the machine is off. */
  init(): Promise<ProcessIdentity | undefined>;
  /** Starts PID 1, which may end at once. */
  boot(signal?: AbortSignal): Promise<void>;
  /** Everything dies at once, as without current; no cgroup is left. */
  cut(): Promise<void>;
  /** Resolves once PID 1 has ended by itself, and removes what it left. */
  ended(init: ProcessIdentity, signal?: AbortSignal): Promise<void>;
}

async function present(paths: readonly string[]): Promise<readonly string[]> {
  const there = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return paths.filter((_, position) => there[position]);
}

export function createPower(options: PowerOptions, { clock, doors }: PowerDeps): Power {
  const { name, namespace, cgroup, disk, consoleFile } = options;
  const init = (): Promise<ProcessIdentity | undefined> => machineInit({ cgroup });
  const sweep = async (): Promise<void> => {
    await killProcesses({ namespaces: [namespace], cgroup }, clock);
    await removeCgroup(cgroup, clock);
  };
  return {
    init,
    async boot(signal) {
      const hierarchies = await readHierarchyMounts();
      await sweep();
      await createMachineCgroup(cgroup, hierarchies);
      const plan = {
        disk,
        cgroup,
        hierarchies,
        bootId: randomUUID(),
        devices: await present(devices),
        env: options.env,
      };
      const [program, ...args] = doors.boot(plan, namespace);
      await using output = await open(consoleFile, 'w');
      // It may outlive this process, whose temporary folder is not for it.
      const { TMPDIR: _own, ...env } = process.env;
      const child = spawn(program, args, { env, detached: true, stdio: ['ignore', output.fd, output.fd] });
      child.unref();
      await once(child, 'spawn');
      const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
      const wait = { what: `PID 1 of ${name}`, timeoutMs: 30_000, everyMs: 10, signal };
      await waitFor(wait, clock, async () => (await init()) !== undefined || ended());
    },
    async cut() {
      const found = await init();
      if (found !== undefined) await signalProcess(found, 'SIGKILL');
      await sweep();
    },
    async ended(found, signal) {
      const hint = 'a unit may not stop: see its log';
      const wait = { what: `shutdown of ${name}`, timeoutMs: 120_000, everyMs: 20, hint, signal };
      await waitFor(wait, clock, async () => !(await isRunning(found)));
      await sweep();
    },
  };
}
