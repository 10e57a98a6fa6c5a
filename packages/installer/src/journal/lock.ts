import { type Clock, SelvedgeError, isAbort, messageOf, scoped } from '@selvedge/kit';
import { type Argv, type Host, type HostResult, programFailed, saidBy } from '../host/index.ts';
import { type JournalPlace, prepareJournal } from './place.ts';

export interface LockOptions {
  /**
   * Who takes it, for people, in one line; unlike that of any other run: `selvedge convert by ann@ops-1, run 7f3c`. What this
   * owner left behind on a machine that went away meanwhile ends, and is nobody's obstacle.
   */
  readonly owner: string;
  readonly place: JournalPlace;
  /** How long another run is waited for, in whole seconds; default: 10. One that was killed lets go within two. */
  readonly waitSeconds?: number;
}

/** This machine is ours to change while it is held. Who takes it disposes of it. */
export interface MachineLock extends AsyncDisposable {
  /** Aborted when it is lost, with the machine for instance. */
  readonly signal: AbortSignal;
}

/** `EX_TEMPFAIL`, sysexits.h. */
const taken = 75;
/** As long as a program may hold it; what it writes meanwhile is far below what a host bears. */
const holdMs = 7 * 86_400_000;
const pauseMs = 100;
const defaultWaitSeconds = 10;

/**
 * `$1`: the file, `$2`: who, `$3`: how many seconds another is waited for. The kernel gives it back when this ends, however. It
 * writes a dot now and then: when nobody listens any more because the connection is gone, that ends it. A file that was removed
 * meanwhile is nobody's lock. It takes what it started with it: a session of SSH, of which a server has few (`MaxSessions`),
 * lasts as long as anything in it.
 */
const holdScript = `
umask 077
exec 9>> "$1" || exit 1
flock -w "$3" 9 || exit ${taken}
[ "$1" -ef /proc/self/fd/9 ] || exit ${taken}
trap 'kill "$!" 2> /dev/null; exit 0' TERM
printf '%s\\n%s\\n' "$2" $$ | cat > "$1" || exit 1
while printf .; do sleep 2 9>&- & wait "$!"; done`;

/**
 * Ends the holder, which may be where no signal of ours gets, and waits until the lock is free, or another's; fails if it is not.
 * The file outlives its machine, which gives the number of the holder to others after a boot: who has not this very file open
 * as the holder has it is a stranger, and what the file says of it goes.
 */
const releaseScript = `
{ read -r owner && read -r pid; } 2> /dev/null < "$1" || exit 0
[ "$owner" = "$2" ] || exit 0
[ "/proc/$pid/fd/9" -ef "$1" ] || { flock -n "$1" sh -c ': > "$1"' sh "$1"; exit 0; }
: > "$1"
kill "$pid"
for _ in $(seq 100); do flock -n "$1" true || [ -s "$1" ] && exit 0; sleep 0.1; done
echo "$pid still holds it" >&2
exit 1`;

const shell = (script: string, ...args: readonly string[]): Argv => ['sh', '-c', script, 'sh', ...args];

async function ownerIn(host: Host, path: string, signal: AbortSignal): Promise<string> {
  const { stdout } = await host.run({ argv: ['head', '-n', '1', '--', path] }, signal);
  return stdout.toString().trim();
}

function refused({ name }: Host, owner: string): SelvedgeError {
  return new SelvedgeError(`${name} is being changed by another run: ${owner === '' ? 'unknown' : owner}`, {
    code: 'Conflict',
    hint: 'wait until it ends, or stop it there; no changes were made',
  });
}

/** The holder ended before it had the lock. */
function refuseEnd(host: Host, result: HostResult | undefined, owner: string): void {
  if (result?.exitCode === taken) throw refused(host, owner);
  if (result?.exitCode !== 1) return;
  throw programFailed({ what: 'cannot take the lock', code: 'Unavailable' }, host, result);
}

const lost = ({ name }: Host, cause?: unknown): SelvedgeError =>
  new SelvedgeError(`the lock of ${name} was lost`, {
    code: 'Unavailable',
    cause,
    hint: 'run the same command again; it resumes where it stopped',
  });

async function giveBack({ owner, place }: LockOptions, host: Host): Promise<void> {
  const result = await host.run({ argv: shell(releaseScript, place.lock, owner) });
  if (result.exitCode !== 0) throw new Error(saidBy(result));
}

/** What a person can do about a lock that stays. Who holds it by now is another's business. */
const leftText = ({ name }: Host, { lock }: JournalPlace, why: unknown): string =>
  `the lock of ${name} could not be released and ends with its connection: ${messageOf(why)}. If the next run is refused, ` +
  `run as root there: flock -n ${lock} true || kill "$(sed -n 2p ${lock})"`;

export interface LockDeps {
  readonly host: Host;
  readonly clock: Clock;
  /** Told of a lock that could not be given back, with the command that does. */
  readonly onNote: (text: string) => void;
}

/**
 * Takes the machine for this run, by a `flock` that a program there holds. Throws `Conflict` if another run has it, and
 * says which.
 */
export async function lockMachine(
  { owner, place, waitSeconds = defaultWaitSeconds }: LockOptions,
  { host, clock, onNote }: LockDeps,
  signal: AbortSignal,
): Promise<MachineLock> {
  await prepareJournal(host, place, signal);
  await host.run({ argv: shell(releaseScript, place.lock, owner) }, signal);
  // It lasts until it is given back: who was told to stop has things to put right.
  const scope = scoped();
  const gone = scoped();
  const end: { result?: HostResult } = {};
  const holding = host
    .run({ argv: shell(holdScript, place.lock, owner, `${waitSeconds}`), timeoutMs: holdMs }, scope.signal)
    .then(
      (result) => {
        end.result = result;
        gone.abort(lost(host, new Error(saidBy(result))));
      },
      (error: unknown) => gone.abort(isAbort(error) ? error : lost(host, error)),
    );
  const release = async (): Promise<void> => {
    await giveBack({ owner, place }, host).catch((error: unknown) => onNote(leftText(host, place, error)));
    scope.abort(lost(host));
    await holding;
    scope[Symbol.dispose]();
  };
  try {
    for (;;) {
      const now = await ownerIn(host, place.lock, signal);
      refuseEnd(host, end.result, now);
      gone.signal.throwIfAborted();
      if (now === owner) return { signal: gone.signal, [Symbol.asyncDispose]: release };
      await clock.sleep(pauseMs, signal);
    }
  } catch (error) {
    await release();
    throw error;
  }
}
