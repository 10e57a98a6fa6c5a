const mebibyte = 2 ** 20;

/** Below `needed` it does not work, below `comfortable` it will not for long. */
interface Room {
  readonly neededBytes: number;
  readonly comfortableBytes: number;
}

/** From `noticed` on it is told, from `tooMuch` on it is an error. */
interface Skew {
  readonly noticedMs: number;
  readonly tooMuchMs: number;
}

interface Thresholds {
  readonly disk: Room;
  readonly memoryBytes: number;
  readonly clock: Skew;
}

/** What machines are measured by. */
export const thresholds = {
  /** A node with a kubelet, whose images and pods are there already. */
  converted: {
    /** The program, its state (`modules.hub.maxStateMiB`) and room to replace both. */
    disk: { neededBytes: 512 * mebibyte, comfortableBytes: 1_024 * mebibyte },
    /** The kubelet has its own share. */
    memoryBytes: 512 * mebibyte,
    /**
     * Known of the machine itself, or by its Lease, which is renewed every 10 s and seen a moment later. It decides how long the
     * node may run offline.
     */
    clock: { noticedMs: 5_000, tooMuchMs: 60_000 },
  },
  /** A bare machine that is to run pods. */
  lite: {
    /** The same, and the images and containers that are to come. */
    disk: { neededBytes: 512 * mebibyte, comfortableBytes: 4_096 * mebibyte },
    /** There is no kubelet. */
    memoryBytes: 256 * mebibyte,
    /** Both clocks are read from elsewhere. A controller-manager lets certificates begin five minutes ago. */
    clock: { noticedMs: 15_000, tooMuchMs: 240_000 },
  },
} as const satisfies Readonly<Record<string, Thresholds>>;
