import { execFile } from 'node:child_process';
import { networkInterfaces } from 'node:os';

const timeoutMs = 10_000;

/** What the hub takes from the machine. */
export interface MachineHost {
  /** The addresses of all interfaces, now. */
  readonly machineAddresses: () => readonly string[];
  /** Runs a program to its end; rejects if it fails. */
  readonly exec: (argv: readonly [string, ...string[]], signal: AbortSignal) => Promise<void>;
}

export function createMachineHost(): MachineHost {
  return {
    machineAddresses: () =>
      Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address)),
    exec: ([program, ...args], signal) =>
      new Promise((resolve, reject) => {
        execFile(program, args, { timeout: timeoutMs, signal }, (error) => {
          if (error === null) resolve();
          else reject(error);
        });
      }),
  };
}
