/** How an exec ended, as the API server tells it. */
export type ExecEnd =
  | { readonly kind: 'exited'; readonly exitCode: number }
  /** The program was not begun, or nobody knows how it ended. */
  | { readonly kind: 'failed'; readonly message: string };

interface Status {
  readonly status?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

function parsed(text: string): Status {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** Reads what comes on the error channel. Source: k8s.io/apimachinery `remotecommand`, `NonZeroExitCodeReason`. */
export function parseExecEnd(text: string): ExecEnd {
  const { status, message, details } = parsed(text);
  if (status === 'Success') return { kind: 'exited', exitCode: 0 };
  const told = details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  const exitCode = Number(told ?? Number.NaN);
  if (Number.isInteger(exitCode)) return { kind: 'exited', exitCode };
  return { kind: 'failed', message: message ?? text.slice(0, 500) };
}
