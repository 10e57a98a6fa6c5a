import { managerNamespace } from '@selvedge/api';
import { SelvedgeError } from '@selvedge/kit';
import type { PlanPart } from '../../command/index.ts';
import { refuseRestarts, withoutJobs } from '../egress/refuse.ts';
import { type InventoryEntry, placeKey } from '../inventory/index.ts';
import type { CloudUndoOptions, CloudUndoPlan, CloudUndoSeen } from '../types.ts';

/** What outlives `--keep-data`: the definitions, and what guards their objects. */
const kinds: readonly string[] = [
  'CustomResourceDefinition',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
];

const isEgress = (one: InventoryEntry): boolean => one.kind === 'machine' && one.phase === 'egress';

/** Names of machines whose API servers are restarted on the way back. */
const apiServersOf = (entries: readonly InventoryEntry[], { gone }: CloudUndoSeen): readonly string[] =>
  entries.flatMap((one) =>
    one.kind === 'machine' && one.phase === 'egress' && !gone.includes(one.name) ? one.name : [],
  );

/** In the order of going back. API servers are ready again before CoreDNS reads its Corefile anew. */
export function backwards(entries: readonly InventoryEntry[]): readonly InventoryEntry[] {
  const all = entries.toReversed();
  return [...all.filter(isEgress), ...all.filter((one) => !isEgress(one))];
}

export const isData = (entry: InventoryEntry): boolean =>
  entry.kind === 'made' && kinds.includes(entry.place.kind);

/** In words. Pure. */
export function undoText(entry: InventoryEntry): string {
  switch (entry.kind) {
    case 'made':
      return `delete ${placeKey(entry.place)}`;
    case 'changed':
      return `restore ${placeKey(entry.place)}`;
    case 'text':
      return `remove the zone nodes.selvedge from ${placeKey(entry.place)}`;
    case 'machine':
      return entry.phase === 'egress'
        ? `restore the manifest of its API server, and wait until it is ready`
        : 'remove the systemd unit cloud-manager and its files';
  }
}

/** The same in one line that stands alone: of which machine, too. Pure. */
export const undoTitle = (entry: InventoryEntry): string =>
  entry.kind === 'machine' ? `${entry.name}: ${undoText(entry)}` : undoText(entry);

const data = [
  'delete all UnitApps, and wait until their clones are gone',
  'delete all EdgeUnits, and wait until their settings are removed from nodes',
  'turn autonomy off, and wait until pods have their original tolerations',
  'remove the traffic scope annotations from Namespaces',
] as const;

function partsOf(
  entries: readonly InventoryEntry[],
  more: { readonly first: readonly string[]; readonly last: readonly string[] },
): readonly PlanPart[] {
  const machines = entries.filter((one) => one.kind === 'machine');
  const inCluster = entries.filter((one) => one.kind !== 'machine').map(undoText);
  return [
    ...machines.map((one) => ({ where: `control plane ${one.name}`, changes: [{ what: undoText(one) }] })),
    { where: 'cluster', changes: [...more.first, ...inCluster, ...more.last].map((what) => ({ what })) },
  ];
}

/** Nobody loses what he keeps there. */
const isNamespaceGoing = ({ isNamespaceOurs, strangers }: CloudUndoSeen): boolean =>
  isNamespaceOurs && strangers.length === 0;

/** Why a namespace stays that we made, for people. */
export const keptNamespace = (strangers: readonly string[]): string =>
  `Namespace ${managerNamespace} is kept, for what selvedge did not create: ${strangers.join(', ')}`;

function warningsOf(
  { isNamespaceOurs, strangers, gone }: CloudUndoSeen,
  takesBack: boolean,
): readonly string[] {
  return [
    ...gone.map(
      (name) =>
        `${name} is not in the cluster any more: if its machine cannot be reverted, what is on it stays`,
    ),
    ...(takesBack ? ['all EdgeNodes are deleted, and with them every ban; keep them with --keep-data'] : []),
    ...(isNamespaceOurs && strangers.length > 0 ? [keptNamespace(strangers)] : []),
  ];
}

const isNothing = (seen: CloudUndoSeen): boolean =>
  seen.inventory === undefined && !isNamespaceGoing(seen) && seen.adopted.length === 0;

const managedByHelm = (): SelvedgeError =>
  new SelvedgeError('the installation is managed by helm', {
    code: 'Conflict',
    hint: `run helm uninstall selvedge -n ${managerNamespace}, then the same command again for the rest`,
  });

/**
 * What has to be done for the cloud to be as before; `isDone`: nothing of ours is there. Throws `Conflict` if helm has taken it
 * over, `Unsupported` if an API server had to be restarted by a Job. Pure.
 */
export function planCloudUndo(options: CloudUndoOptions, seen: CloudUndoSeen): CloudUndoPlan {
  const { inventory, adopted, isHelms } = seen;
  if (isNothing(seen)) return { options, adopted, isDone: true, parts: [], warnings: [] };
  if (isHelms) throw managedByHelm();
  const all = [...adopted, ...(inventory?.entries ?? [])];
  const entries = backwards(all.filter((one) => !(options.keepData && isData(one))));
  refuseRestarts(apiServersOf(entries, seen), seen, withoutJobs);
  const takesBack = !options.keepData && entries.some(isData);
  const parts = partsOf(entries, {
    first: takesBack ? data : [],
    last: isNamespaceGoing(seen) ? [`delete Namespace ${managerNamespace}`] : [],
  });
  return { options, adopted, isDone: false, parts, warnings: warningsOf(seen, takesBack) };
}
