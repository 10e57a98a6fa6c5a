import { run } from '@selvedge/hack/setup';
import { cloudAddresses } from '../addresses.ts';
import type { BedDescription } from '../description.ts';
import type { BedNames } from '../names.ts';
import { runNft } from '../network/apply.ts';

/** Lets the cloud begin connections to machines of the sites; what begins there leaves by NAT as before. */
export async function joinNetworks(names: BedNames, { index, sites }: BedDescription): Promise<void> {
  for (const { name, lan, wanHost } of sites) {
    await runNft(names.site(name), 'flush chain inet router forward');
    const via = cloudAddresses(index).at(wanHost);
    await run({ argv: ['ip', '-n', names.cloud, 'route', 'replace', lan, 'via', via] });
  }
}
