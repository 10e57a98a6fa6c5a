import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const timeoutMs = 5_000;

/** Why the program is being stopped. */
export type Shutdown = 'restart' | 'machine';

/** The parts of systemd that matter here; without it nothing is told and every stop is a restart. */
export interface Systemd {
  /** Source: sd_notify(3). Never fails: nobody listens when it is not a `Type=notify` unit. */
  notify(state: 'READY=1' | 'STOPPING=1'): Promise<void>;
  /** Whether the machine goes down with us. */
  shutdown(): Promise<Shutdown>;
}

export interface SystemdOptions {
  /** `NOTIFY_SOCKET` of the environment. */
  readonly notifySocket: string | undefined;
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

export function createSystemd({ notifySocket }: SystemdOptions): Systemd {
  return {
    async notify(state) {
      if (notifySocket !== undefined) await output('systemd-notify', [state]);
    },
    async shutdown() {
      return (await output('systemctl', ['is-system-running'])) === 'stopping' ? 'machine' : 'restart';
    },
  };
}
