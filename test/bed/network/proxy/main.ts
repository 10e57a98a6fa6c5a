import { readFileSync } from 'node:fs';
import { createJsonLogger, runProgram, systemClock } from '@selvedge/kit';
import { parseProxyOptions } from './options.ts';
import { createFaultProxy } from './proxy.ts';

/** `main.ts FILE`: the proxy of one router. The file is read anew on SIGHUP. */
const file = process.argv[2] ?? '';
const clock = systemClock;
const log = createJsonLogger({ level: 'info' }, { clock, write: (line) => process.stdout.write(line) });
const readOptions = (): ReturnType<typeof parseProxyOptions> => parseProxyOptions(readFileSync(file, 'utf8'));
const proxy = createFaultProxy(readOptions(), { clock, log, random: Math.random });
process.on('SIGHUP', () => {
  proxy.update(readOptions().faults);
});
const fatal = new Promise<never>(() => undefined);
process.exitCode = await runProgram(
  { service: proxy, drainTimeoutMs: 2_000, fatal },
  { host: process, clock, log },
);
