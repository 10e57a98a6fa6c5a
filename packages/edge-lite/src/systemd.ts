import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const timeoutMs = 5_000;

/** Why the program is being stopped. */
export type Shutdown = 'restart' | 'machine';

/** The parts of systemd that matter here; without it nothing is told and every stop is a restart. */
export interface Systemd {
  /** Source: sd_notify(3). Never fails: nobody listens when it is not a `Type=notify` unit. */
  notify(state: 'READY=1' | 'STOPPING=1' | 'WATCHDOG=1'): Promise<void>;
  /** Who says nothing for so long is killed; undefined: nobody waits. */
  readonly watchdogMs: number | undefined;
  /** Whether the machine goes down with us. */
  shutdown(): Promise<Shutdown>;
}

/** What systemd puts into the environment. Source: sd_notify(3), sd_watchdog_enabled(3). */
export interface SystemdEnvironment {
  readonly NOTIFY_SOCKET?: string | undefined;
  readonly WATCHDOG_USEC?: string | undefined;
  readonly WATCHDOG_PID?: string | undefined;
}

export interface SystemdOptions {
  readonly env: SystemdEnvironment;
  /** Of this process. */
  readonly pid: number;
}

/** The watchdog's period, if it is this process that is watched. */
function watchdogOf({ env, pid }: SystemdOptions): number | undefined {
  const periodMs = Number(env.WATCHDOG_USEC) / 1_000;
  const isOurs = env.WATCHDOG_PID === undefined || env.WATCHDOG_PID === String(pid);
  return isOurs && periodMs > 0 ? periodMs : undefined;
}

async function output(command: string, args: readonly string[]): Promise<string> {
  try {
    return (await run(command, [...args], { timeout: timeoutMs })).stdout.trim();
  } catch (error) {
    // `is-system-running` exits with 1 and still says what it is.
    const said = typeof error === 'object' && error !== null && 'stdout' in error ? error.stdout : '';
    return String(said).trim();
  }
}

export function createSystemd(options: SystemdOptions): Systemd {
  return {
    watchdogMs: watchdogOf(options),
    async notify(state) {
      if (options.env.NOTIFY_SOCKET !== undefined) await output('systemd-notify', [state]);
    },
    async shutdown() {
      return (await output('systemctl', ['is-system-running'])) === 'stopping' ? 'machine' : 'restart';
    },
  };
}
