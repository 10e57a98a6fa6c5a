import { SelvedgeError, hasCode, messageOf, type Clock } from '@selvedge/kit';
import type { Pod, ServiceAccountTokenProjection, Volume } from '@selvedge/kube/types';

import { allContainers, podRef, quote, type ObjectReader, type ResourceList } from '../spec/index.ts';
import { writePayload } from './atomic-writer.ts';
import type { ReadyVolume } from './container-mounts.ts';
import { makeFolder } from './folder.ts';
import { prepareHostPath } from './host-path.ts';
import { podFolder, type FolderVolume } from './layout.ts';
import type { VolumeMetrics } from './metrics.ts';
import type { Mounter } from './mounter.ts';
import { giveToGroup } from './ownership.ts';
import { collectPayload, type PayloadInput } from './payload.ts';
import type { Tokens } from './tokens.ts';

export interface SetUpDeps {
  /** The folder of all pods. */
  readonly pods: string;
  readonly objects: ObjectReader;
  readonly allocatable: () => ResourceList;
  readonly tokens: Tokens;
  readonly mounter: Mounter;
  readonly clock: Pick<Clock, 'now'>;
  readonly metrics: Pick<VolumeMetrics, 'setUps'>;
}

export interface SetUpVolume extends ReadyVolume {
  /** When a token in it should be renewed, in milliseconds since the epoch. */
  readonly dueMs?: number;
}

const folderKinds = ['configMap', 'secret', 'downwardAPI', 'projected'] as const;

/** What kind of folder a volume is: one without any source is an `emptyDir`. `undefined` for a host path. */
function folderKind(volume: Volume): FolderVolume | undefined {
  const content = folderKinds.find((kind) => volume[kind] !== undefined);
  if (content !== undefined) return content;
  const [source = 'emptyDir'] = Object.keys(volume).filter((key) => key !== 'name');
  if (source === 'emptyDir') return 'emptyDir';
  if (source === 'hostPath') return undefined;
  throw new SelvedgeError(`${source} is not supported on this node`, { code: 'Unsupported' });
}

/** Whether what the volume shows can change while it is mounted. */
export function isLive(volume: Volume): boolean {
  return folderKinds.some((kind) => volume[kind] !== undefined);
}

/** The volumes that some container mounts, in the order of the spec. */
export function usedVolumes(pod: Pod): readonly Volume[] {
  const mounts = allContainers(pod).flatMap(({ volumeMounts = [] }) => volumeMounts);
  const used = new Set(mounts.map(({ name }) => name));
  return (pod.spec?.volumes ?? []).filter(({ name }) => used.has(name));
}

function tokenReader(pod: Pod, deps: SetUpDeps, signal: AbortSignal) {
  let dueMs = Infinity;
  const read: PayloadInput['token'] = async (projection: ServiceAccountTokenProjection) => {
    const { audience = '', expirationSeconds = 3600 } = projection;
    const query = {
      pod: podRef(pod),
      serviceAccount: pod.spec?.serviceAccountName ?? 'default',
      audiences: audience === '' ? [] : [audience],
      expirationSeconds,
    };
    const current = await deps.tokens.current(query, signal);
    dueMs = Math.min(dueMs, current.dueMs);
    return current.token;
  };
  return { read, due: (): { dueMs?: number } => (dueMs === Infinity ? {} : { dueMs }) };
}

async function setUpFolder(
  pod: Pod,
  volume: Volume,
  run: SetUpDeps & { readonly kind: FolderVolume; readonly signal: AbortSignal },
): Promise<SetUpVolume> {
  const { kind, signal, mounter } = run;
  const path = podFolder(run.pods, podRef(pod).uid).volume(kind, volume.name);
  const allocatable = run.allocatable();
  const request = { pod, volume, kind, path, allocatable };
  if (kind === 'emptyDir') {
    await makeFolder(request, mounter, signal);
    return { hostPath: path, readOnly: false };
  }
  const token = tokenReader(pod, run, signal);
  const { objects } = run;
  const payload = await collectPayload({ pod, objects, allocatable, token: token.read }, volume);
  await makeFolder(request, mounter, signal);
  const group = pod.spec?.securityContext?.fsGroup;
  const own = async (): Promise<void> => {
    if (group !== undefined) await giveToGroup(path, { group, readOnly: true });
  };
  await writePayload(path, payload, { own, now: () => run.clock.now() });
  return { hostPath: path, readOnly: true, ...token.due() };
}

async function setUp(
  pod: Pod,
  volume: Volume,
  run: SetUpDeps & { readonly signal: AbortSignal },
): Promise<SetUpVolume> {
  const kind = folderKind(volume);
  if (kind !== undefined) return setUpFolder(pod, volume, { ...run, kind });
  return { hostPath: await prepareHostPath(volume.hostPath ?? { path: '/' }), readOnly: false };
}

/** Makes one volume, or brings it up to date. Rejects with the kubelet's words for `FailedMount`. */
export async function setUpVolume(
  pod: Pod,
  volume: Volume,
  run: SetUpDeps & { readonly signal: AbortSignal },
): Promise<SetUpVolume> {
  try {
    const made = await setUp(pod, volume, run);
    run.metrics.setUps.add({ outcome: 'done' });
    return made;
  } catch (cause) {
    run.signal.throwIfAborted();
    if (hasCode(cause, 'Aborted')) throw cause;
    run.metrics.setUps.add({ outcome: 'failed' });
    const text = `MountVolume.SetUp failed for volume ${quote(volume.name)} : ${messageOf(cause)}`;
    throw new SelvedgeError(text, { code: cause instanceof SelvedgeError ? cause.code : 'Internal', cause });
  }
}
