import { access, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, SelvedgeError } from '@selvedge/kit';
import { waitFor } from '../wait.ts';
import { diskOf, prepareDisk } from './disk.ts';
import { createDoors } from './doors.ts';
import { machineSocket } from './enter.ts';
import { type Inside, createInside } from './inside.ts';
import { type Power, createPower } from './power.ts';
import { hostKeyArgv, hostKeyFile, identityFiles } from './provision.ts';
import type { Machine, MachineDeps, MachineOptions } from './types.ts';

interface Parts {
  readonly power: Power;
  readonly inside: Inside;
  readonly signal: AbortSignal | undefined;
}

const consoleFileOf = ({ folder }: Pick<MachineOptions, 'folder'>): string => join(folder, 'console.log');

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Makes what is the machine's own. The mark is written last: a half-made machine is made again. */
async function provision(options: MachineOptions, inside: Inside, signal?: AbortSignal): Promise<void> {
  const mark = join(options.folder, 'provisioned');
  if (await exists(mark)) return;
  const { name, authorizedKeys = [] } = options;
  await inside.writeFiles(identityFiles({ name, authorizedKeys }), signal);
  await inside.exec(['rm', '--force', hostKeyFile], { signal });
  await inside.exec(hostKeyArgv, { signal });
  await writeFile(mark, '');
}

/** Waits until systemd has started all units that it can start. */
async function settled(name: string, parts: Parts, clock: Clock): Promise<'running' | 'degraded' | 'off'> {
  const { power, inside, signal } = parts;
  const wait = { what: `boot of ${name}`, timeoutMs: 60_000, everyMs: 20, signal };
  return waitFor(wait, clock, async (attempt) => {
    if ((await power.init()) === undefined) return 'off';
    const asked = await inside.execUnchecked(['systemctl', 'is-system-running', '--wait'], {
      signal: attempt,
    });
    return (['running', 'degraded'] as const).find((answer) => answer === asked.stdout.trim());
  });
}

/** Why a machine is not `running` after its boot. */
async function bootError(
  options: MachineOptions,
  state: 'degraded' | 'off',
  inside: Inside,
): Promise<SelvedgeError> {
  const failed = ['systemctl', 'list-units', '--failed', '--plain', '--no-legend'] as const;
  const why =
    state === 'off'
      ? await readFile(consoleFileOf(options), 'utf8')
      : (await inside.execUnchecked(failed)).stdout;
  return new SelvedgeError(`${options.name} is ${state} after its boot: ${why.trim().slice(-2_000)}`, {
    code: 'Internal',
  });
}

/** Tells systemd to shut down in this way and waits for it. */
async function shutDown(verb: 'poweroff' | 'reboot', { power, inside, signal }: Parts): Promise<void> {
  const init = await power.init();
  if (init === undefined) return;
  // It may end before it says that it was told.
  await inside.execUnchecked(['systemctl', '--no-block', verb], { signal });
  await power.ended(init, signal);
}

export function createMachine(options: MachineOptions, deps: MachineDeps): Machine {
  const { name, folder, env = {} } = options;
  const { clock } = deps;
  const doors = createDoors(options.node);
  const disk = diskOf(options);
  const consoleFile = consoleFileOf(options);
  const power = createPower({ ...options, disk, consoleFile, env }, { clock, doors });
  const inside = createInside({ ...options, disk });

  const powerOn = async (signal?: AbortSignal): Promise<void> => {
    const boots = (await power.init()) === undefined;
    if (boots) {
      await deps.renewNetwork(signal);
      await prepareDisk(disk);
      await provision(options, inside, signal);
      await power.boot(signal);
    }
    const state = await settled(name, { power, inside, signal }, clock);
    if (boots && state !== 'running') throw await bootError(options, state, inside);
  };

  return {
    name,
    consoleFile,
    ...inside,
    isOn: async () => (await power.init()) !== undefined,
    hostRoot: () => machineSocket(options, '/'),
    powerOn,
    powerOff: (signal) => shutDown('poweroff', { power, inside, signal }),
    powerCut: () => power.cut(),
    async reboot(signal) {
      await shutDown('reboot', { power, inside, signal });
      await powerOn(signal);
    },
    async remove() {
      await power.cut();
      await rm(folder, { recursive: true, force: true });
    },
    async installUnit({ name: unit, text, signal }) {
      await inside.writeFiles([{ kind: 'file', path: `etc/systemd/system/${unit}`, content: text }], signal);
      await inside.exec(['systemctl', 'enable', unit], { signal });
      if ((await power.init()) === undefined) return;
      await inside.exec(['systemctl', 'daemon-reload'], { signal });
      await inside.exec(['systemctl', 'restart', unit], { signal });
    },
    async logs(unit, lines = 200) {
      const argv = [
        'journalctl',
        `--unit=${unit}`,
        `--lines=${lines}`,
        '--output=short-iso',
        '--no-pager',
      ] as const;
      return (await inside.exec(argv)).stdout;
    },
    sshHostKey: () => inside.readFile(`${hostKeyFile}.pub`),
  };
}
