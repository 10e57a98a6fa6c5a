import { wantedNames, whyRenew } from './certificates/secret.ts';
import { tlsSecretName } from './desired.ts';
import { certificateChange, isStrange } from './plan-changes.ts';
import type { CloudOptions, CloudPlan, CloudSeen } from './types.ts';

type Mode = CloudPlan['mode'];

/** Machines that could not be entered. */
export function closedWarnings({ mode }: CloudOptions, { controlPlanes }: CloudSeen): readonly string[] {
  if (mode === 'deployment') return [];
  return controlPlanes.flatMap((one) => (one.kind === 'closed' ? [`${one.machine.name}: ${one.why}`] : []));
}

export function warningsOf(options: CloudOptions, seen: CloudSeen, mode: Mode): readonly string[] {
  const { zone } = seen;
  const warnings = [...closedWarnings(options, seen)];
  const why = whyRenew(seen.certificate, {
    names: wantedNames(options.tunnelServers),
    now: seen.now,
  });
  if (seen.certificate?.isOurs === false && why !== undefined)
    warnings.push(
      `the Secret selvedge-system/${tlsSecretName(mode, options)} was not created by selvedge and is left alone, but ${why}`,
    );
  if (certificateChange(mode, options, seen).some((change) => isStrange(change, seen)))
    warnings.push(
      'the tunnel certificate will be signed by another CA, which converted nodes do not trust yet: see docs/operations/cloud-manager.md',
    );
  if (options.dns && zone.kind === 'corefile' && !zone.reloads)
    warnings.push('CoreDNS runs without the reload plugin: restart it to load the zone nodes.selvedge');
  if (mode === 'unit')
    warnings.push(
      'each API server is restarted, one after the other; `kubeadm upgrade` rewrites its manifest: run the same command again after it',
    );
  return warnings;
}

const noEgress = `The API server does not use the tunnel, so kubectl logs, exec and port-forward do not reach edge nodes, and neither do calls to webhooks there. Metrics work, through port 10250 of the Service selvedge-system/cloud-manager (docs/tasks/metrics.md). If you can set flags of your API servers, point --egress-selector-config-file at the output of cloud-manager egress-configuration (docs/operations/cloud-manager.md, "Let the API server reach the edge").`;

/** What this program cannot do. */
export function instructionsOf({ dns }: CloudOptions, { zone }: CloudSeen, mode: Mode): readonly string[] {
  const instructions = mode === 'deployment' ? [noEgress] : [];
  if (!dns || zone.kind !== 'unknown') return instructions;
  return [
    ...instructions,
    `${zone.why}: to scrape nodes by name, make your DNS answer *.nodes.selvedge with a CNAME to cloud-manager.selvedge-system.svc.cluster.local (deploy/dns/nodes.selvedge.corefile).`,
  ];
}
