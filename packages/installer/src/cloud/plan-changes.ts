import { formatHostPort } from '@selvedge/kit/net';
import type { KubeObject } from '@selvedge/kube';
import { wantedNames, whyRenew } from './certificates/secret.ts';
import { kubeadmMachines, desiredObjects, modeOf, tlsSecretName } from './desired.ts';
import { zoneAddition, zoneBlock } from './dns/index.ts';
import { egressOf } from './egress/manifest.ts';
import { contentOf, differences, placeKey, placeOf } from './inventory/index.ts';
import { toApply } from './look-objects.ts';
import { type CloudObjects, ownNamespace, renewalBinding } from './objects/cloud.ts';
import { ownObject } from './objects/metadata.ts';
import { refuseSecret } from './objects/refuse-secret.ts';
import { edgeChanges, refuseNowhere } from './placement.ts';
import type {
  CertificateSigner,
  CloudChange,
  CloudOptions,
  CloudPlan,
  CloudSeen,
  CloudTunnel,
  OpenMachine,
} from './types.ts';

type Mode = CloudPlan['mode'];

function objectChange(object: KubeObject, seen: CloudSeen): readonly CloudChange[] {
  const place = placeOf(object);
  const found = seen.objects.get(placeKey(place));
  const wanted = toApply(object, found?.live);
  if (found === undefined)
    return [{ kind: 'object', what: 'make', place, object: wanted, detail: [], force: false }];
  const fields = differences(contentOf(found.live), contentOf(found.applied));
  if (fields.length === 0 && found.conflicts.length === 0) return [];
  refuseSecret(place, found.live);
  const detail = [
    `differs in ${fields.slice(0, 5).join(', ')}`,
    ...found.conflicts.map((one) => `taken over: ${one}`),
  ];
  const force = found.conflicts.length > 0;
  return [{ kind: 'object', what: 'change', place, object: wanted, detail, force }];
}

/** Nodes trust the one that they were told of: which machines can be entered today has no say in a Deployment. */
function signerOf(mode: Mode, seen: CloudSeen): CertificateSigner {
  if (mode === 'deployment') return { kind: 'own' };
  const signing = seen.controlPlanes.find((one) => one.kind === 'open' && one.signs);
  return signing === undefined ? { kind: 'own' } : { kind: 'cluster', machine: signing.machine };
}

type CertificateChange = Extract<CloudChange, { kind: 'certificate' }>;

export function certificateChange(
  mode: Mode,
  options: CloudOptions,
  seen: CloudSeen,
): readonly CertificateChange[] {
  const names = wantedNames(options.tunnelServers);
  const why = whyRenew(seen.certificate, { names, now: seen.now });
  const isOthers = seen.certificate !== undefined && !seen.certificate.isOurs;
  return why === undefined || isOthers
    ? []
    : [
        {
          kind: 'certificate',
          secret: tlsSecretName(mode, options),
          names,
          signer: signerOf(mode, seen),
          why,
        },
      ];
}

/** Nodes were told of another authority than the one that is going to sign. */
export function isStrange({ signer }: CertificateChange, { certificate, tunnelCa }: CloudSeen): boolean {
  return certificate?.isOurs === true && (signer.kind === 'own') !== (tunnelCa !== undefined);
}

const notYetMade = 'the authority that signs the certificate of the tunnel: it is made before\n';

/** What nodes are going to be told. */
export function tunnelOf(mode: Mode, options: CloudOptions, seen: CloudSeen): CloudTunnel {
  const servers = options.tunnelServers.map(formatHostPort);
  const [change] = certificateChange(mode, options, seen);
  if (change === undefined) return { servers, ca: seen.tunnelCa };
  return { servers, ca: change.signer.kind === 'own' ? (seen.tunnelCa ?? notYetMade) : undefined };
}

function zoneChange({ dns }: CloudOptions, { zone, clusterDomain }: CloudSeen): readonly CloudChange[] {
  if (!dns || zone.kind === 'unknown') return [];
  if (zone.kind === 'corefile') {
    const text = zoneAddition(zone.text, clusterDomain);
    return text === '' ? [] : [{ kind: 'zone', zone, text }];
  }
  const text = zoneBlock(clusterDomain);
  if (zone.text === text) return [];
  if (zone.isThere) return [{ kind: 'zone', zone, text: zoneAddition(zone.text ?? '', clusterDomain) }];
  const { place, key } = zone;
  const { namespace = '', name } = place;
  const object = ownObject({ apiVersion: 'v1', kind: 'ConfigMap', name, fields: { data: { [key]: text } } });
  const made = toApply({ ...object, metadata: { name, namespace } }, undefined);
  return [{ kind: 'object', what: 'make', place, object: made, detail: [], force: false }];
}

/** A run that failed after it had renewed the Secret leaves machines with what they had. */
const isOutdated = (pem: string, { certificate }: CloudSeen): boolean =>
  certificate !== undefined && certificate.pem !== pem;

function machineChanges(mode: Mode, seen: CloudSeen, renews: boolean): readonly CloudChange[] {
  if (mode === 'deployment') return [];
  const change = { kind: 'machine', phase: 'manager' } as const;
  return kubeadmMachines(seen.controlPlanes).flatMap((one): readonly CloudChange[] => {
    const { machine, certificate } = one;
    const isThere = certificate !== undefined;
    return [
      ...(one.runs.manager === 'done' ? [] : [{ ...change, machine, renew: false }]),
      ...(isThere && (renews || isOutdated(certificate, seen)) ? [{ ...change, machine, renew: true }] : []),
    ];
  });
}

/**
 * `kubeadm upgrade` writes manifests anew: what is kept of the old one is of no use any more. A run that was interrupted may have
 * begun with the old one, so it is not resumed where nothing of it is in the manifest.
 */
const isRewritten = ({ runs, manifest = '' }: OpenMachine): boolean =>
  (runs.egress === 'done' || runs.egress === 'begun') && egressOf(manifest) === 'none';

/** A run that was interrupted may have left an API server that nobody has seen ready. */
function egressChanges(mode: Mode, seen: CloudSeen): readonly CloudChange[] {
  if (mode === 'deployment') return [];
  const isSeen = seen.inventory?.complete === true;
  return kubeadmMachines(seen.controlPlanes)
    .filter((one) => one.runs.egress !== 'done' || !isSeen || isRewritten(one))
    .map((one) => ({ kind: 'machine', phase: 'egress', machine: one.machine, renew: isRewritten(one) }));
}

/** A Deployment is waited for, unless it runs and stays. One that no Node can take is refused. */
function readyChanges(
  options: CloudOptions,
  seen: CloudSeen,
  { program, isChanged }: { readonly program: CloudObjects['program']; readonly isChanged: boolean },
): readonly CloudChange[] {
  if (modeOf(options, seen.controlPlanes) === 'unit' || (seen.ready && !isChanged)) return [];
  refuseNowhere(program, seen.nodes, options.edge ?? []);
  return [{ kind: 'ready' }];
}

/** All that is to be done, in that order. */
export function changesOf(options: CloudOptions, seen: CloudSeen): readonly CloudChange[] {
  const mode = modeOf(options, seen.controlPlanes);
  const { foundations, program, registration } = desiredObjects(options, seen.controlPlanes);
  const objects = (list: readonly KubeObject[]): readonly CloudChange[] =>
    list.flatMap((object) => objectChange(object, seen));
  const certificate = certificateChange(mode, options, seen);
  const edge = edgeChanges(options.edge ?? [], seen.nodes);
  const isChanged = edge.length > 0 || objects(program).length > 0;
  const changes = [
    ...(seen.objects.has(placeKey(placeOf(ownNamespace))) ? [] : objects([ownNamespace])),
    ...edge,
    ...objects(seen.nodesRenew ? foundations : [...foundations, renewalBinding]),
    ...certificate,
    ...objects(program),
    ...machineChanges(mode, seen, certificate.length > 0),
    ...readyChanges(options, seen, { program, isChanged }),
    ...objects(registration),
    ...egressChanges(mode, seen),
    // CoreDNS reads it anew while API servers serve.
    ...zoneChange(options, seen),
  ];
  const isComplete = seen.inventory?.complete === true && changes.length === 0;
  return isComplete ? [] : [...changes, { kind: 'record' }];
}
