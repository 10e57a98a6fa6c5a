import { SelvedgeError } from '@selvedge/kit';

/** What to do where a Job cannot take back what was done, for people. */
export const withoutJobs = 'use --transport ssh, or --transport local on each machine';

/**
 * An API server that is restarted ends the way to its own machine, where that leads through it, and one that does not come back
 * could not be put right. Throws `Unsupported` if machines are entered that way. Pure.
 */
export function refuseRestarts(
  machines: readonly string[],
  { viaKubelet }: { readonly viaKubelet: boolean },
  hint: string,
): void {
  if (!viaKubelet || machines.length === 0) return;
  throw new SelvedgeError(
    `a Job cannot restart the API server of ${machines.join(', ')}, through which it runs`,
    {
      code: 'Unsupported',
      hint,
    },
  );
}
