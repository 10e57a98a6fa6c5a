/** Caps that commands share. */
export const limits = {
  /** Machines that are looked at, and questions that are asked, side by side. */
  atATime: 8,
  /** Of what is read of a machine at once: its journal, its processes. */
  maxReadBytes: 16 * 2 ** 20,
} as const;
