/** What has to be done with the files beside a log before it gets a new one. Names only, no folders. */
export interface RotationPlan {
  /** Left over from a crash, or too old. */
  readonly remove: readonly string[];
  /** What the log is renamed to. */
  readonly rotated: string;
  /** Rotated earlier and not compressed yet; whoever followed the log has left them. */
  readonly compress: readonly string[];
}

interface RotatedFile {
  readonly name: string;
  readonly stamp: string;
  readonly ending: string;
}

const dated = /^\.(\d{8}-\d{6})(|\.gz|\.tmp)$/;

function rotatedFile(log: string, name: string): RotatedFile | undefined {
  if (!name.startsWith(log)) return undefined;
  const [, stamp, ending] = dated.exec(name.slice(log.length)) ?? [];
  return stamp === undefined || ending === undefined ? undefined : { name, stamp, ending };
}

const oldestFirst = (a: RotatedFile, b: RotatedFile): number => (a.stamp < b.stamp ? -1 : 1);

function rotatedFiles(log: string, names: readonly string[]): readonly RotatedFile[] {
  return names
    .map((name) => rotatedFile(log, name))
    .filter((file) => file !== undefined)
    .toSorted(oldestFirst);
}

/** The names that rotation gave to what was once `log`, oldest first. */
export function rotatedNames(log: string, names: readonly string[]): readonly string[] {
  return rotatedFiles(log, names).map(({ name }) => name);
}

/** `20260102-150405`, in UTC: local time would run backwards once a year. */
function stampOf(atMs: number): string {
  const [date = '', time = ''] = new Date(atMs).toISOString().split(/[T.]/);
  return `${date.replaceAll('-', '')}-${time.replaceAll(':', '')}`;
}

function timeOf(stamp: string): number {
  return Date.parse(stamp.replace(/^(....)(..)(..)-(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6Z'));
}

/** Later than all others, also when the clock was set back: a name in use would be overwritten. */
function nextStamp(newest: RotatedFile | undefined, nowMs: number): string {
  const afterMs = newest === undefined ? Number.NaN : timeOf(newest.stamp) + 1000;
  return stampOf(Number.isNaN(afterMs) ? nowMs : Math.max(nowMs, afterMs));
}

/**
 * How `log` is rotated among `names`, the files of its folder. `maxFiles` counts the new log and the one just rotated.
 * Source: `pkg/kubelet/logs/container_log_manager.go` of Kubernetes 1.36.
 */
export function planRotation(
  log: string,
  names: readonly string[],
  now: { readonly nowMs: number; readonly maxFiles: number },
): RotationPlan {
  const files = rotatedFiles(log, names);
  const zipped = new Set(files.filter(({ ending }) => ending === '.gz').map(({ stamp }) => stamp));
  const isLeftover = ({ ending, stamp }: RotatedFile): boolean =>
    ending === '.tmp' || (ending === '' && zipped.has(stamp));
  const whole = files.filter((file) => !isLeftover(file));
  const excess = Math.max(0, whole.length - Math.max(0, now.maxFiles - 2));
  const remove = [...files.filter(isLeftover), ...whole.slice(0, excess)];
  const kept = whole.slice(excess);
  return {
    remove: remove.map(({ name }) => name),
    rotated: `${log}.${nextStamp(files.at(-1), now.nowMs)}`,
    compress: kept.filter(({ ending }) => ending === '').map(({ name }) => name),
  };
}
