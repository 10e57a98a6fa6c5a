/** The process's environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

const reference = /\$\(([A-Za-z_][A-Za-z0-9_]*)\)/g;

/**
 * A document with `$(NAME)` in its texts replaced by what the environment has under that name, and left alone where it has
 * nothing. Pure. Source: kubernetes.io "Define Dependent Environment Variables".
 */
export function expand(document: unknown, environment: Environment): unknown {
  if (typeof document === 'string') {
    return document.replaceAll(reference, (found, name: string) => environment[name] ?? found);
  }
  if (Array.isArray(document)) return document.map((one) => expand(one, environment));
  if (typeof document !== 'object' || document === null) return document;
  return Object.fromEntries(
    Object.entries(document).map(([key, value]) => [key, expand(value, environment)]),
  );
}
