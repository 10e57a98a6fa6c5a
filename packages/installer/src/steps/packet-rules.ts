/** Chains of CNI plugins: `CNI-HOSTPORT-DNAT`, `CNI-0123456789abcdef01234567`. Source: plugins `portmap` and `bridge` (ipMasq). */
const chain = /^:(CNI-\S+) /;
const mention = /^-A (\S+) (?:.* )?-[jg] CNI-\S+/;

/**
 * What `iptables-restore --noflush` is told so that the chains of CNI plugins go from the table nat, with the rules that lead
 * into them and no others. `saved`: what `iptables-save -t nat` printed. Undefined: there are none. Pure.
 */
export function withoutPluginChains(saved: string): string | undefined {
  const lines = saved.split('\n');
  const chains = lines.flatMap((line) => chain.exec(line)?.slice(1) ?? []);
  if (chains.length === 0) return undefined;
  const jumps = lines.filter((line) => {
    const [, from] = mention.exec(line) ?? [];
    return from !== undefined && !chains.includes(from);
  });
  return [
    '*nat',
    ...jumps.map((line) => line.replace(/^-A/, '-D')),
    ...chains.map((name) => `-F ${name}`),
    ...chains.map((name) => `-X ${name}`),
    'COMMIT',
    '',
  ].join('\n');
}

/** The names of tables, `ip nat`, in what `nft list tables` printed. Pure. */
export function tablesIn(listed: string): readonly string[] {
  return listed.split('\n').flatMap((line) => /^table (\S+ \S+)/.exec(line)?.slice(1) ?? []);
}

/** True if nothing but chains without rules is in a table. `listed`: what `nft --json list table` printed. Pure. */
export function isWithoutRules(listed: string): boolean {
  const { nftables } = JSON.parse(listed) as { readonly nftables: readonly object[] };
  const idle = ['metainfo', 'table', 'chain'];
  return nftables.every((item) => Object.keys(item).every((key) => idle.includes(key)));
}
