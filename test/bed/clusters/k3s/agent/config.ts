import { parse } from 'yaml';

/** What a k3s agent is told. Values of flags that may be given more than once are lists. */
export type AgentConfig = Readonly<Record<string, readonly string[]>>;

function valuesOf(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).map(String);
}

/**
 * One configuration of config.yaml and the drop-ins, in this order: a later value replaces the earlier one, and is added to it if
 * its name ends with `+`. Source: k3s docs, "Configuration File"; `pkg/configfilearg`.
 */
export function mergeConfig(texts: readonly string[]): AgentConfig {
  const merged: Record<string, readonly string[]> = {};
  for (const text of texts) {
    for (const [key, value] of Object.entries((parse(text) ?? {}) as Readonly<Record<string, unknown>>)) {
      const name = key.replace(/\+$/, '');
      const before = key.endsWith('+') ? (merged[name] ?? []) : [];
      merged[name] = [...before, ...valuesOf(value)];
    }
  }
  return merged;
}

/** Flags of a component: its defaults, and what the person said instead, `name=value`. Source: k3s, `pkg/daemons/config`. */
export function componentFlags(
  defaults: Readonly<Record<string, string>>,
  given: readonly string[] = [],
): readonly string[] {
  const said = given.map((one) => {
    const [name = '', ...value] = one.replace(/^--/, '').split('=');
    return [name, value.join('=')] as const;
  });
  const all = { ...defaults, ...Object.fromEntries(said) };
  return Object.entries(all)
    .map(([name, value]) => `--${name}=${value}`)
    .toSorted();
}
