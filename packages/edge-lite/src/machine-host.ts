import { execFile } from 'node:child_process';
import { cpus, networkInterfaces } from 'node:os';

const timeoutMs = 10_000;

/** What this process has used so far. */
export interface OwnUsage {
  readonly cpuNs: number;
  readonly rssBytes: number;
}

/** What the hub and the kubelet's API take from the machine. */
export interface MachineHost {
  /** The addresses of all interfaces, now. */
  readonly machineAddresses: () => readonly string[];
  /** Those of the machine that are online. */
  readonly cores: number;
  readonly ownUsage: () => OwnUsage;
  /** Runs a program to its end; rejects if it fails. */
  readonly exec: (argv: readonly [string, ...string[]], signal: AbortSignal) => Promise<void>;
}

export function createMachineHost(): MachineHost {
  return {
    machineAddresses: () =>
      Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address)),
    cores: cpus().length,
    ownUsage() {
      const { user, system } = process.cpuUsage();
      return { cpuNs: (user + system) * 1000, rssBytes: process.memoryUsage.rss() };
    },
    exec: ([program, ...args], signal) =>
      new Promise((resolve, reject) => {
        execFile(program, args, { timeout: timeoutMs, signal }, (error) => {
          if (error === null) resolve();
          else reject(error);
        });
      }),
  };
}
