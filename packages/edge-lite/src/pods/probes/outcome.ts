/** What one attempt found. */
export type Outcome =
  | { readonly kind: 'success' }
  /** It counts as a success, but a person should look. */
  | { readonly kind: 'warning'; readonly output: string }
  | { readonly kind: 'failure'; readonly output: string };

export const success: Outcome = { kind: 'success' };

export function failure(output: string): Outcome {
  return { kind: 'failure', output };
}

/** What is kept of a command's or a server's answer. */
export const maxOutputBytes = 10 * 1024;
