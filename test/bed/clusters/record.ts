import { join } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import type { BedContext } from '../context.ts';
import type { PodRange } from '../node/cni.ts';
import { readIfThere, writeAtomically } from '../state/files.ts';
import type { ClusterLayout, OperatorFiles } from './types.ts';

/** What is remembered of a cluster beside its networks. */
export interface ClusterRecord {
  readonly layout: ClusterLayout;
  /** Those of the host that its machines read. */
  readonly files: readonly string[];
  /** The nodes' ranges of pods, which routes lead to: a worker that is powered on offline cannot ask for them. */
  readonly ranges: readonly PodRange[];
}

type Place = Pick<BedContext, 'folders' | 'name'>;

const fileOf = ({ folders }: Place): string => join(folders.root, 'cluster.json');

export const writeRecord = (place: Place, record: ClusterRecord): Promise<void> =>
  writeAtomically(fileOf(place), JSON.stringify(record));

/** The record, or `NotFound`. */
export async function readRecord(place: Place): Promise<ClusterRecord> {
  const text = await readIfThere(fileOf(place));
  if (text !== undefined) return JSON.parse(text) as ClusterRecord;
  throw new SelvedgeError(`there is no cluster ${place.name}`, { code: 'NotFound' });
}

/** Where the operator's files of a cluster are. */
export const operatorFiles = ({ folders }: Pick<BedContext, 'folders'>): OperatorFiles => ({
  user: 'root',
  keyFile: join(folders.root, 'operator/key.pem'),
  knownHostsFile: join(folders.root, 'operator/known_hosts'),
});
