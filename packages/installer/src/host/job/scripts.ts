/**
 * Enters what PID 1 of the machine lives in. Its PID namespace is that of the container already (`hostPID`). From `env` on
 * programs are those of the machine.
 */
const enter =
  'nsenter --target 1 --mount --uts --ipc --net /usr/bin/env -i HOME=/root ' +
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * For the shell of the container. `$1`: how many bytes of stdin are the program's; the program and its arguments follow. It
 * tells its process first, which leads a group of all that comes of it, and begins only when it hears a line: who did not
 * hear from it may begin anew. What the program leaves of stdin is read all the same: a connection that is closed with unread
 * bytes is reset, and the exit code with it.
 */
const programScript = `
echo $$
read -r begin || exit 1
bytes=$1
shift
[ "$bytes" -gt 0 ] || exec ${enter} "$@" < /dev/null
head -c "$bytes" | { ${enter} "$@"; code=$?; head -c "$bytes" > /dev/null; exit $code; }`;

/** `$1`: the process. Nothing happens if it has ended. */
const endScript = 'kill -KILL -- "-$1" 2> /dev/null || kill -KILL "$1" 2> /dev/null || true';

export type Argv = readonly [string, ...string[]];

export const programArgv = (argv: Argv, stdinBytes: number): Argv => [
  'sh',
  '-c',
  programScript,
  'sh',
  `${stdinBytes}`,
  ...argv,
];

export const endArgv = (pid: string): Argv => ['sh', '-c', endScript, 'sh', pid];

/** What `programArgv` prints first, up to the end of its line. */
export const maxGreetingBytes = 32;
