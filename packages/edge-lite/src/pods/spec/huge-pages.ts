import { HugepageLimit, message } from '@selvedge/containerd-grpc-types';

import { wholeValue } from './amount.ts';
import type { Amounts } from './pod-resources.ts';

const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const;
const prefix = 'hugepages-';

/** A page size as the kernel's cgroup files spell it: 2097152 → `2MB`. */
function pageSizeName(bytes: bigint): string {
  let rest = bytes;
  let unit = 0;
  while (rest % 1024n === 0n && rest > 0n && unit < units.length - 1) {
    rest /= 1024n;
    unit += 1;
  }
  return `${rest}${units[unit]}`;
}

/** Bytes by page size as the kernel spells it. */
export function hugePageAmounts(amounts: Amounts): Amounts {
  const pages = [...amounts].filter(([name]) => name.startsWith(prefix));
  return new Map(pages.map(([name, bytes]) => [pageSizeName(wholeValue(name.slice(prefix.length))), bytes]));
}

/** One limit for each page size that the kernel knows: what was not asked for is forbidden. */
export function hugePageLimits(limits: Amounts, pageSizes: readonly string[]): HugepageLimit[] {
  const wanted = hugePageAmounts(limits);
  return pageSizes.map((pageSize) => message(HugepageLimit, { pageSize, limit: wanted.get(pageSize) ?? 0n }));
}
