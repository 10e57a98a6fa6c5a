import { dirname } from 'node:path';
import { networkInterfaces, homedir, hostname, userInfo } from 'node:os';
import { systemClock } from '@selvedge/kit';
import { type CliHost, runCli } from './cli/index.ts';
import { version } from './version.ts';

const interruptions = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const brokenPipe = 141;

/** What is left out of the way of who looks at processes: `join` may have a token in its arguments. */
function hideArguments(): readonly string[] {
  const args = process.argv.slice(2);
  process.title = 'selvedge';
  return args;
}

const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);

const host: CliHost = {
  args: hideArguments(),
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  clock: systemClock,
  random: Math.random,
  version,
  programFolder: dirname(process.execPath),
  person: { name: userInfo().username, home: homedir(), isRoot: process.getuid?.() === 0 },
  machine: {
    name: hostname(),
    addresses: addresses.filter(({ internal }) => !internal).map(({ address }) => address),
  },
  onInterrupt(listener) {
    for (const name of interruptions) process.on(name, listener);
    return {
      [Symbol.dispose]() {
        for (const name of interruptions) process.off(name, listener);
      },
    };
  },
  exit: (code) => process.exit(code),
};

// Nobody reads on, as in `selvedge unit list | head -1`.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(brokenPipe));

// A bundle has no await outside of functions.
void runCli(host).then((code) => process.exit(code));
