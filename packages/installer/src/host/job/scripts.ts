import type { Argv } from '../types.ts';

/** Where the container keeps what it knows of programs, in memory. */
export const stateFolder = '/run/selvedge-shell';

/**
 * Enters what PID 1 of the machine lives in. Its PID namespace is that of the container already (`hostPID`). From `env` on
 * programs are those of the machine.
 */
const enter =
  'nsenter --target 1 --mount --uts --ipc --net /usr/bin/env -i HOME=/root ' +
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * `$1`: the folder of the run, `$2`: the most that is kept of what it prints, `$3`: its stdin; the program and its arguments
 * follow. It leads a group of all that comes of it. When nobody has asked for it for two minutes, all of it ends. What waits
 * for that ends with the program: of processes that are left when the container ends, shims of containerd reap one a second.
 */
const runScript = `
folder=$1 most=$2
exec 4< "$3"
rm -f "$3"
shift 3
echo $$ > "$folder/pid.new" && mv "$folder/pid.new" "$folder/pid"
(
  misses=0
  trap 'kill "$!"; exit' TERM
  while sleep 30 & wait "$!"; do
    if [ -e "$folder/seen" ]; then rm -f "$folder/seen"; misses=0; else misses=$((misses + 1)); fi
    [ "$misses" -lt 4 ] || { echo 137 > "$folder/code"; kill -KILL "-$$"; }
  done
) 4<&- > /dev/null 2>&1 &
watchdog=$!
{
  { ${enter} "$@" <&4 2>&3 3>&- 4<&-; echo $? > "$folder/code.new"; } | head -c "$most" 3>&- 4<&- > "$folder/out"
} 3>&1 | head -c "$most" 4<&- > "$folder/err"
kill "$watchdog"
mv "$folder/code.new" "$folder/code"`;

/**
 * For the shell of the container, again and again until it has told of the end: a connection may break, and does when a
 * kubelet restarts. `$1`: the folder of the run, `$2`: bytes of stdin, `$3`: the most that is kept of what it prints,
 * `$4`: how it is run, `$5`: folders of other runs that are not needed any more; the program follows.
 *
 * Says `new` and wants stdin, or `begun`: a program is begun once, when all of its stdin is there. Then `ended CODE` and what
 * was printed; `again` after a minute.
 */
const attachScript = `
folder=$1 bytes=$2 most=$3 run=$4 old=$5
shift 5
umask 077
for one in $old; do rm -rf "$one"; done
mkdir -p "$folder" || exit 1
if [ -e "$folder/begun" ]; then
  echo begun
else
  echo new
  head -c "$bytes" > "$folder/in.$$"
  [ "$(wc -c < "$folder/in.$$")" -eq "$bytes" ] || exit 1
  if mkdir "$folder/begun" 2> /dev/null; then
    setsid sh -c "$run" sh "$folder" "$most" "$folder/in.$$" "$@" < /dev/null > /dev/null 2>&1 &
  fi
fi
looks=0
while [ -d "$folder/begun" ] && [ ! -e "$folder/code" ]; do
  : > "$folder/seen"
  looks=$((looks + 1))
  [ "$looks" -lt 80 ] || { echo again; exit 0; }
  if [ "$looks" -lt 20 ]; then sleep 0.1; else sleep 1; fi
done
read -r code < "$folder/code" || exit 1
echo "ended $code"
cat "$folder/err" >&2
cat "$folder/out"`;

/** `$1`: the folder of the run. What did not begin will not; who asks for it hears no more. */
const endScript = `
mkdir -p "$1"
if ! mkdir "$1/begun" 2> /dev/null; then
  looks=0
  until [ -e "$1/pid" ] || [ "$looks" -eq 100 ]; do looks=$((looks + 1)); sleep 0.1; done
  [ -e "$1/code" ] || kill -KILL "-$(cat "$1/pid")"
fi
rm -rf "$1"`;

/** A program to be run, or that is being run. */
export interface ProgramRun {
  readonly folder: string;
  readonly argv: Argv;
  readonly stdin: Uint8Array;
  /** Bytes of stdout and of stderr, each; one more is kept, so that it is seen. */
  readonly maxBytes: number;
}

export const attachArgv = ({ folder, argv, stdin, maxBytes }: ProgramRun, old: readonly string[]): Argv => [
  'sh',
  '-c',
  attachScript,
  'sh',
  folder,
  `${stdin.length}`,
  `${maxBytes + 1}`,
  runScript,
  old.join(' '),
  ...argv,
];

export const endArgv = (folder: string): Argv => ['sh', '-c', endScript, 'sh', folder];
