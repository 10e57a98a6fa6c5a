import { formatHostPort } from '@selvedge/kit/net';
import { managerNamespace } from '@selvedge/api';
import { ifFound, jsonPatch, resources } from '@selvedge/kube';
import { certificateIn } from '../certificates/secret.ts';
import { tlsSecretName } from '../desired.ts';
import { fieldManager, openInventory, refOf, resourceAt } from '../inventory/index.ts';
import { isRolledOut } from '../look.ts';
import { managerAt, podSelector } from '../objects/metadata.ts';
import { titleOf } from '../plan-text.ts';
import { tunnelOf } from '../tunnel.ts';
import {
  type CloudChange,
  type CloudDeps,
  type CloudPlan,
  type CloudResult,
  cloudTimeouts,
} from '../types.ts';
import { makeCertificate } from './certificate.ts';
import { markEdge } from './edge.ts';
import { type Ledger, openLedger } from './ledger.ts';
import { changeMachine } from './machines.ts';
import { applyChange, applyObject } from './objects.ts';
import { isSo, poll } from '../../waiting/index.ts';
import { whyNotReady } from './why-not-ready.ts';

type ZoneChange = Extract<CloudChange, { kind: 'zone' }>;

async function addZone(
  { zone, text }: ZoneChange,
  ledger: Ledger,
  { cluster, signal }: CloudDeps,
): Promise<void> {
  const { place, key, text: before } = zone;
  await ledger.note({ kind: 'text', place, key, text });
  const path = `/data/${key}`;
  const patch =
    before === undefined
      ? jsonPatch([{ op: 'add', path, value: text }])
      : // What somebody wrote meanwhile is not lost: the test fails then.
        jsonPatch([
          { op: 'test', path, value: before },
          { op: 'replace', path, value: `${before}${text}` },
        ]);
  await cluster.patch(resourceAt(place), refOf(place), { patch, fieldManager, signal });
}

async function awaitReady(plan: CloudPlan, deps: CloudDeps): Promise<void> {
  if (plan.mode === 'unit') return;
  const { cluster, signal, timeouts = cloudTimeouts } = deps;
  const waiting = {
    what: `the Deployment ${managerNamespace}/cloud-manager to become ready`,
    timeoutMs: timeouts.readyMs,
    hint: `kubectl -n ${managerNamespace} describe pods says more; what pods need: docs/tasks/cloud-manager.md, "In the cluster"`,
    why: async () => {
      const selection = { namespace: managerNamespace, labelSelector: podSelector, signal };
      const { items } = await cluster.listAll(resources.pods, selection);
      return whyNotReady(await ifFound(cluster.get(resources.deployments, managerAt, { signal })), items);
    },
  };
  await poll(waiting, deps, async () => {
    const found = await ifFound(cluster.get(resources.deployments, managerAt, { signal }));
    return isSo(found !== undefined && isRolledOut(found), 'it is not rolled out');
  });
}

async function make(change: CloudChange, { plan, ledger }: Run, deps: CloudDeps): Promise<void> {
  switch (change.kind) {
    case 'object':
      return applyChange(change, ledger, deps);
    case 'certificate':
      return makeCertificate(change, { machines: plan.controlPlanes, ledger }, deps);
    case 'zone':
      return addZone(change, ledger, deps);
    case 'machine': {
      const { phase, machine } = change;
      await ledger.note({ kind: 'machine', phase, name: machine.name, addresses: machine.addresses });
      return changeMachine(change, plan, deps);
    }
    case 'edge':
      return markEdge(change.node, deps);
    case 'ready':
      return awaitReady(plan, deps);
    case 'record':
      return ledger.complete();
  }
}

interface Run {
  readonly plan: CloudPlan;
  readonly ledger: Ledger;
}

const isNamespace = (change: CloudChange): change is Extract<CloudChange, { kind: 'object' }> =>
  change.kind === 'object' && change.place.kind === 'Namespace';

/**
 * Does what was planned, each change written down in the cluster before. Stops at the first that fails; called again with a new
 * plan it goes on there. Throws what the API server or a machine says.
 */
export async function applyCloud(plan: CloudPlan, deps: CloudDeps): Promise<CloudResult> {
  const { cluster, signal, progress } = deps;
  // In it is written down what else is made; that it is ours it says itself.
  for (const change of plan.changes.filter(isNamespace)) {
    await progress.task(titleOf(change), () => applyObject(change, deps));
  }
  const changes = plan.changes.filter((one) => !isNamespace(one));
  if (changes.length > 0) {
    const ledger = await openLedger(plan, await openInventory(cluster, signal), deps);
    for (const change of changes) {
      signal.throwIfAborted();
      await progress.task(titleOf(change), () => make(change, { plan, ledger }, deps));
    }
  }
  const { mode, instructions, options } = plan;
  const secret = { namespace: managerNamespace, name: tlsSecretName(mode, options) };
  const certificate = certificateIn(await ifFound(cluster.get(resources.secrets, secret, { signal })));
  const tunnel = await tunnelOf({ servers: options.tunnelServers.map(formatHostPort), certificate }, deps);
  return { mode, changed: plan.changes.length, tunnel, instructions };
}
