import { SelvedgeError } from '@selvedge/kit';
import { formatHostPort } from '@selvedge/kit/net';
import type { KubeObject } from '@selvedge/kube';
import type { PlannedChange } from '../command/index.ts';
import { wantedNames, whyRenew } from './certificates/secret.ts';
import { kubeadmMachines, desiredObjects, modeOf } from './desired.ts';
import { zoneAddition, zoneBlock } from './dns/index.ts';
import { egressConfigFile, egressOf } from './egress/manifest.ts';
import { refuseRestarts } from './egress/refuse.ts';
import { contentOf, differences, placeKey, placeOf } from './inventory/index.ts';
import { toApply } from './look-objects.ts';
import { type CloudObjects, ownNamespace, renewalBinding } from './objects/cloud.ts';
import { isMarkedAsMade, ownObject } from './objects/metadata.ts';
import { refuseSecret } from './objects/refuse-secret.ts';
import { edgeChanges, refuseNowhere } from './placement.ts';
import { describeChange } from './plan-text.ts';
import type {
  CertificateSigner,
  CloudChange,
  CloudOptions,
  CloudPlan,
  CloudSeen,
  CloudTunnel,
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

function certificateChange(mode: Mode, options: CloudOptions, seen: CloudSeen): readonly CertificateChange[] {
  const names = wantedNames(options.tunnelServers);
  const why = whyRenew(seen.certificate, { names, now: seen.now });
  const isOthers = seen.certificate !== undefined && !seen.certificate.isOurs;
  return why === undefined || isOthers
    ? []
    : [{ kind: 'certificate', names, signer: signerOf(mode, seen), why }];
}

/** Nodes were told of another authority than the one that is going to sign. */
function isStrange({ signer }: CertificateChange, { certificate, tunnelCa }: CloudSeen): boolean {
  return certificate?.isOurs === true && (signer.kind === 'own') !== (tunnelCa !== undefined);
}

const notYetMade = 'the authority that signs the certificate of the tunnel: it is made before\n';

function tunnelOf(mode: Mode, options: CloudOptions, seen: CloudSeen): CloudTunnel {
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

/** A run that was interrupted may have left an API server that nobody has seen ready. */
function egressChanges(mode: Mode, seen: CloudSeen): readonly CloudChange[] {
  if (mode === 'deployment') return [];
  const isSeen = seen.inventory?.complete === true;
  return kubeadmMachines(seen.controlPlanes)
    .filter(({ runs }) => runs.egress !== 'done' || !isSeen)
    .map(({ machine }) => ({ kind: 'machine', phase: 'egress', machine, renew: false }));
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

/** `kubeadm upgrade` writes manifests anew: what is kept of the old one is of no use any more. */
function refuseRewritten({ controlPlanes }: CloudSeen): void {
  const rewritten = kubeadmMachines(controlPlanes).find(
    ({ runs, manifest }) => runs.egress === 'done' && egressOf(manifest ?? '') === 'none',
  );
  if (rewritten === undefined) return;
  const { name } = rewritten.machine;
  throw new SelvedgeError(
    `the manifest of the API server on ${name} was rewritten without the EgressSelector, for example by kubeadm upgrade`,
    {
      code: 'Conflict',
      hint: `on ${name}, run rm -r /var/lib/selvedge-installer-egress ${egressConfigFile} /etc/kubernetes/manifests/.kube-apiserver.yaml.selvedge-*, then run the same command again here`,
    },
  );
}

function changesOf(options: CloudOptions, seen: CloudSeen): readonly CloudChange[] {
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

/** Objects of a run before whose inventory went with it (`revert --keep-data`): ours again. */
const adoptedOf = ({ objects, inventory }: CloudSeen): CloudPlan['adopted'] => {
  const known = new Set(
    (inventory?.entries ?? []).flatMap((one) => ('place' in one ? [placeKey(one.place)] : [])),
  );
  return [...objects.entries()]
    .filter(([key, { live }]) => isMarkedAsMade(live) && !known.has(key) && live.kind !== 'Namespace')
    .map(([, { live }]) => ({ kind: 'made', place: placeOf(live), uid: live.metadata.uid }));
};

function closedWarnings({ mode }: CloudOptions, { controlPlanes }: CloudSeen): readonly string[] {
  if (mode === 'deployment') return [];
  return controlPlanes.flatMap((one) => (one.kind === 'closed' ? [`${one.machine.name}: ${one.why}`] : []));
}

function warningsOf(options: CloudOptions, seen: CloudSeen, mode: Mode): readonly string[] {
  const { zone } = seen;
  const warnings = [...closedWarnings(options, seen)];
  const why = whyRenew(seen.certificate, {
    names: wantedNames(options.tunnelServers),
    now: seen.now,
  });
  if (seen.certificate?.isOurs === false && why !== undefined)
    warnings.push(
      `the Secret selvedge-system/cloud-manager-tls was not created by selvedge and is left alone, but ${why}`,
    );
  if (certificateChange(mode, options, seen).some((change) => isStrange(change, seen)))
    warnings.push(
      'the tunnel certificate will be signed by another CA, which converted nodes do not trust yet: see docs/operations/cloud-manager.md',
    );
  if (options.dns && zone.kind === 'corefile' && !zone.reloads)
    warnings.push('CoreDNS runs without the reload plugin: restart it to load the zone nodes.selvedge');
  if (mode === 'unit')
    warnings.push(
      'each API server is restarted, one after the other; `kubeadm upgrade` rewrites its manifest, see docs/tasks/cloud-manager.md',
    );
  return warnings;
}

const noEgress = `The API server does not use the tunnel, so kubectl logs, exec and port-forward do not reach edge nodes, and neither do calls to webhooks there. Metrics work, through port 10250 of the Service selvedge-system/cloud-manager (docs/tasks/metrics.md). If you can set flags of your API servers, point --egress-selector-config-file at the output of cloud-manager egress-configuration (docs/operations/cloud-manager.md, "Let the API server reach the edge").`;

function instructionsOf({ dns }: CloudOptions, { zone }: CloudSeen, mode: Mode): readonly string[] {
  const instructions = mode === 'deployment' ? [noEgress] : [];
  if (!dns || zone.kind !== 'unknown') return instructions;
  return [
    ...instructions,
    `${zone.why}: to scrape nodes by name, make your DNS answer *.nodes.selvedge with a CNAME to cloud-manager.selvedge-system.svc.cluster.local (deploy/dns/nodes.selvedge.corefile).`,
  ];
}

function checked(options: CloudOptions, seen: CloudSeen): Mode {
  const mode = modeOf(options, seen.controlPlanes);
  if (options.tunnelServers.length === 0) {
    throw new SelvedgeError('nothing says where nodes connect', {
      code: 'Invalid',
      hint: '--tunnel-server tunnel.example.com:443',
    });
  }
  const unfit = seen.controlPlanes
    .filter((one) => !kubeadmMachines([one]).length)
    .map(({ machine }) => machine.name);
  if (mode === 'unit' && (unfit.length > 0 || seen.controlPlanes.length === 0)) {
    throw new SelvedgeError(
      `cannot run cloud-manager as a unit next to each API server: ${unfit.join(', ') || 'no Node has the role control-plane'}`,
      {
        code: 'Unsupported',
        hint: [
          ...closedWarnings(options, seen),
          'run cloud-manager in the cluster instead: --manager deployment',
        ].join('; '),
      },
    );
  }
  if (seen.inventory !== undefined && seen.inventory.mode !== mode) {
    throw new SelvedgeError(`cloud-manager is installed as a ${seen.inventory.mode}, not as a ${mode}`, {
      code: 'Conflict',
      hint: `keep it with --manager ${seen.inventory.mode}, or run selvedge revert first`,
    });
  }
  return mode;
}

const asPlanned = (change: CloudChange): PlannedChange => {
  const { what, detail } = describeChange(change);
  return detail.length === 0 ? { what } : { what, detail };
};

/**
 * What is to be done in the cloud. Throws `Invalid` for options that cannot be, `Unsupported` where the wanted mode cannot be,
 * `Conflict` where something of somebody else's is in the way. Pure.
 */
export function planCloud(options: CloudOptions, seen: CloudSeen): CloudPlan {
  const mode = checked(options, seen);
  refuseRewritten(seen);
  const changes = changesOf(options, seen);
  const ofMachines = changes.filter((one) => one.kind === 'machine');
  const restarted = ofMachines.filter(({ phase }) => phase === 'egress').map(({ machine }) => machine.name);
  refuseRestarts(
    restarted,
    seen,
    'use --transport ssh, or --manager deployment, which leaves API servers alone',
  );
  const names = [...new Set(ofMachines.map(({ machine }) => machine.name))];
  const inCluster = changes.filter((one) => one.kind !== 'machine').map(asPlanned);
  return {
    mode,
    options,
    tunnel: tunnelOf(mode, options, seen),
    controlPlanes: seen.controlPlanes,
    changes,
    adopted: adoptedOf(seen),
    parts: [
      ...(inCluster.length === 0 ? [] : [{ where: 'cluster', changes: inCluster }]),
      ...names.map((name) => ({
        where: `control plane ${name}`,
        changes: ofMachines.filter(({ machine }) => machine.name === name).map(asPlanned),
      })),
    ],
    warnings: changes.length === 0 ? [] : warningsOf(options, seen, mode),
    instructions: instructionsOf(options, seen, mode),
  };
}
