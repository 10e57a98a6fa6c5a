import { randomUUID } from 'node:crypto';
import {
  type ProgramHost,
  type Random,
  createJsonLogger,
  createMetricsRegistry,
  runProgram,
  systemClock,
} from '@selvedge/kit';
import { createAgent } from './agent.ts';
import { loadConfig, paths } from './config/index.ts';
import { exitCodeOf, originating } from './exit-code.ts';
import { createMachineHost } from './machine-host.ts';
import { readMachine } from './pods/index.ts';
import { loadProxy } from './proxy.ts';
import { type DriverName, openStore } from './store/index.ts';
import { type SystemdOptions, createSystemd } from './systemd.ts';
import { version } from './version.ts';

/** What `main` takes from the process. */
export interface RunOptions {
  readonly configFile: string;
  readonly driver: DriverName;
  readonly systemd: SystemdOptions;
  readonly random: Random;
  readonly host: ProgramHost;
  /** Ends a process for good. */
  readonly kill: (pid: number) => void;
  /** Receives the log. */
  readonly write: (line: string) => unknown;
}

/** Longer than the pods of a machine that goes down get, shorter than systemd's `TimeoutStopSec` of 90 s. */
const drainTimeoutMs = 80_000;

/** Runs the agent until it is told to stop; resolves with the exit code. Rejects before it has a log. */
export async function runAgent(options: RunOptions): Promise<number> {
  const { configFile, driver, random, host, kill, write } = options;
  const config = await originating('config', () => loadConfig(configFile));
  const proxy = await originating('config', () => loadProxy(config.server.proxy));
  const clock = systemClock;
  const log = createJsonLogger({ level: config.log.level }, { clock, write });
  const places = paths(config.root);
  log.info('starting', { version, node: config.nodeName, root: config.root });
  const state = { path: places.stateDb, sealKeyPath: places.sealKey, driver };
  const store = await originating('store', () => openStore(state, { clock, log }));
  const metrics = createMetricsRegistry();
  const systemd = createSystemd(options.systemd);
  const machine = await readMachine();
  const service = createAgent(config, places, {
    clock,
    random,
    log,
    metrics,
    systemd,
    store,
    machine,
    kill,
    proxy,
    newUid: randomUUID,
    ...createMachineHost(),
  });
  return runProgram(
    { service, drainTimeoutMs, fatal: store.failed, exitCode: exitCodeOf },
    { host, clock, log },
  );
}
