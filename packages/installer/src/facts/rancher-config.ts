/** Variables go before flags. Source: k3s, `findConfigFileFlag` in `pkg/configfilearg`. */
const sources = [
  /\b(?:K3S|RKE2)_CONFIG_FILE=(\S+)/g,
  // Others than the program itself have such flags, too: `sh -c`, `--kubelet-arg=--config=…`.
  /(?:^ExecStart=.*\s-c|(?<!-arg[=\s])--config)(?:=|\s+)(\S+)/gm,
] as const;

/** A unit, or its file of variables, without comments, quotes, and ends of lines that go on. */
export function plainLines(text: string): string {
  const lines = text.split('\n').filter((line) => !/^\s*[#;]/.test(line));
  return lines.join('\n').replaceAll('\\\n', ' ').replaceAll(/["']/g, '');
}

/**
 * The configuration that an agent of k3s or RKE2 is told of, by its unit and its files of variables; the first one counts. Source:
 * docs.k3s.io, "Configuration File". Pure.
 */
export function rancherConfigs(texts: readonly string[]): readonly string[] {
  const plain = texts.map(plainLines).join('\n');
  return sources.flatMap((source) => [...plain.matchAll(source)].map(([, path = '']) => path));
}
