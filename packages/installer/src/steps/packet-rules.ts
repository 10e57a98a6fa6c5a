/** Chains of CNI plugins: `CNI-HOSTPORT-DNAT`, `CNI-0123456789abcdef01234567`. Source: plugins `portmap` and `bridge` (ipMasq). */
const chain = /^:(CNI-\S+) /;
const mention = /^-A (\S+) (?:.* )?-[jg] (CNI-\S+)/;

/** The names of the chains of CNI plugins in what `iptables-save -t nat` printed. Pure. */
export function pluginChainsIn(saved: string): readonly string[] {
  return saved.split('\n').flatMap((line) => chain.exec(line)?.slice(1) ?? []);
}

/**
 * What `iptables-restore --noflush` is told so that the chains of CNI plugins go from the table nat, but for those in `kept`, with
 * the rules that lead into them and no others. `saved`: what `iptables-save -t nat` printed. Undefined: there are none. Pure.
 */
export function withoutPluginChains(saved: string, kept: readonly string[]): string | undefined {
  const chains = pluginChainsIn(saved).filter((name) => !kept.includes(name));
  if (chains.length === 0) return undefined;
  const jumps = saved.split('\n').filter((line) => {
    const [, from = '', to = ''] = mention.exec(line) ?? [];
    return chains.includes(to) && !chains.includes(from);
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
