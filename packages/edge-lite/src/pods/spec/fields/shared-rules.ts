import type { AppArmorProfile } from '@selvedge/kube/types';

import { type Rules, below, only, refused } from './rule.ts';

export const appArmor = below({
  localhostProfile: refused('AppArmor profiles'),
  type: only('Unconfined'),
} satisfies Rules<AppArmorProfile>);
export const noSeLinux = refused('SELinux labels');
export const noWindows = refused('this node runs Linux');
