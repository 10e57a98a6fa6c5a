import { run } from '@selvedge/hack/setup';
import { cloudAddresses } from '../addresses.ts';
import type { BedDescription } from '../description.ts';
import type { BedNames } from '../names.ts';
import type { ClusterMachine } from './types.ts';

/** Leads the host to a machine beside the cloud, and back: its one link ends in the cloud. The routes end with both. */
export async function leadHostTo(
  { address, machine }: Pick<ClusterMachine, 'address' | 'machine'>,
  { hostLink }: Pick<BedNames, 'hostLink'>,
  { index }: Pick<BedDescription, 'index'>,
): Promise<void> {
  const { cloud, machine: host } = cloudAddresses(index);
  await run({ argv: ['ip', 'route', 'replace', address, 'via', cloud, 'dev', hostLink, 'src', host] });
  await machine.exec(['ip', 'route', 'replace', host, 'via', cloud]);
}
