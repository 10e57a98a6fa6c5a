/** The crash back-off of one container, as the kubelet keeps it. */
export interface CrashBackoff {
  readonly delayMs: number;
  /** When the container was last started again. */
  readonly startedAtMs: number;
  /** Of the container that crashed: a changed one starts afresh. */
  readonly hash: string;
}

/** Kubernetes 1.36: 10 s, doubled up to 5 min, forgotten once a container has run for 10 min. */
export const crashPolicy = { initialMs: 10_000, maxMs: 300_000, resetAfterMs: 600_000 } as const;

function counts(
  entry: CrashBackoff | undefined,
  ended: { atMs: number; hash: string },
): entry is CrashBackoff {
  return (
    entry !== undefined &&
    entry.hash === ended.hash &&
    ended.atMs - entry.startedAtMs <= crashPolicy.resetAfterMs
  );
}

/** Until when a container that ended must wait, if it must. The first time it need not. */
export function crashedUntilMs(
  entry: CrashBackoff | undefined,
  ended: { readonly atMs: number; readonly hash: string },
): number | undefined {
  return counts(entry, ended) ? ended.atMs + entry.delayMs : undefined;
}

/** The entry to keep when a container that ended is started again. */
export function afterRestart(
  entry: CrashBackoff | undefined,
  ended: { readonly atMs: number; readonly hash: string },
  nowMs: number,
): CrashBackoff {
  const delayMs = counts(entry, ended)
    ? Math.min(entry.delayMs * 2, crashPolicy.maxMs)
    : crashPolicy.initialMs;
  return { delayMs, startedAtMs: nowMs, hash: ended.hash };
}
