import { managerNamespace } from '@selvedge/api';
import { SelvedgeError } from '@selvedge/kit';
import { type JsonObject, ifFound, isObject, resources } from '@selvedge/kube';
import type { Sources, Step } from '../../steps/index.ts';
import { kubeadmMachines, tunnelPortOf } from '../desired.ts';
import { apiServerPort } from '../egress/manifest.ts';
import { applyOn, withMachine } from '../machine/run.ts';
import { managerSteps, sources } from '../machine/steps.ts';
import {
  type CloudChange,
  type CloudDeps,
  type CloudPlan,
  type OpenMachine,
  cloudTimeouts,
} from '../types.ts';
import { paths, unitConfig } from '../beside-api-server/config.ts';
import { tokenKubeconfig } from '../beside-api-server/kubeconfig.ts';
import { tokenSecret } from '../beside-api-server/objects.ts';
import { tunnelPair } from './certificate.ts';
import { wireEgress } from './egress.ts';
import { pending, poll } from '../../waiting/index.ts';

type MachineChange = Extract<CloudChange, { kind: 'machine' }>;
function openMachine(plan: CloudPlan, { machine }: MachineChange): OpenMachine {
  const found = kubeadmMachines(plan.controlPlanes).find((one) => one.machine.name === machine.name);
  if (found !== undefined) return found;
  throw new SelvedgeError(`machine ${machine.name} was not inspected`, { code: 'Internal' });
}

async function awaitToken(deps: CloudDeps): Promise<string> {
  const { cluster, signal, timeouts = cloudTimeouts } = deps;
  const at = { namespace: managerNamespace, name: tokenSecret };
  const waiting = {
    what: `a token in the Secret ${managerNamespace}/${tokenSecret}`,
    timeoutMs: timeouts.readyMs,
    hint: 'kube-controller-manager creates it; check that it is running',
  };
  return await poll(waiting, deps, async () => {
    const secret = await ifFound(cluster.get(resources.secrets, at, { signal }));
    const token = secret?.data?.['token'];
    if (token === undefined) return pending(secret === undefined ? 'there is no such Secret' : 'it has none');
    return { kind: 'done', value: Buffer.from(token, 'base64').toString() };
  });
}

function sourcesOf(machine: OpenMachine, deps: CloudDeps): Sources {
  const { address, arch, ca = '', manifest = '' } = machine;
  const server = `https://${address.includes(':') ? `[${address}]` : address}:${apiServerPort(manifest)}`;
  const table: Readonly<Record<string, () => Promise<Uint8Array | string>>> = {
    [sources.program]: async () => (await deps.artifacts.cloudManager(arch)).bytes,
    [sources.certificate]: async () => (await tunnelPair(deps)).certificate,
    [sources.key]: async () => (await tunnelPair(deps)).key,
    [sources.ca]: async () => (await tunnelPair(deps)).ca,
    [sources.kubeconfig]: async () => tokenKubeconfig({ server, ca, token: await awaitToken(deps) }),
  };
  return async (name) => {
    const source = table[name];
    if (source === undefined) throw new SelvedgeError(`there is no source ${name}`, { code: 'Internal' });
    return Buffer.from(await source());
  };
}

function configOf(plan: CloudPlan, { address, ipv6, manifest = '' }: OpenMachine): string {
  const { values } = plan.options;
  const over: JsonObject = isObject(values['config']) ? values['config'] : {};
  const tunnelPort = tunnelPortOf(plan.options);
  return unitConfig({ tunnelPort, address, apiServerPort: apiServerPort(manifest), ipv6, over });
}

/** Replaces the files; cloud-manager reads them again by itself. */
async function renew(machine: OpenMachine, deps: CloudDeps): Promise<void> {
  const { certificate, key, ca } = await tunnelPair(deps);
  const { signal } = deps;
  await withMachine(machine.machine, deps, async (_host, files) => {
    for (const [path, content] of [
      [paths.ca, ca],
      [paths.key, key],
      // Last: that it is the new one says that all are.
      [paths.certificate, certificate],
    ] as const) {
      const state = await files.look(path, signal);
      const { mode, owner } = state.kind === 'file' ? state : { mode: 0o600, owner: { uid: 0, gid: 0 } };
      await files.write(path, { content, mode, owner }, signal);
    }
  });
}

async function runManager(machine: OpenMachine, plan: CloudPlan, deps: CloudDeps): Promise<void> {
  const steps = async (): Promise<readonly Step[]> => {
    const { sha256 } = await deps.artifacts.cloudManager(machine.arch);
    return managerSteps({ sha256, config: configOf(plan, machine) });
  };
  const run = { machine: machine.machine, phase: 'manager' } as const;
  await applyOn(run, { plan: steps, sources: sourcesOf(machine, deps) }, deps);
}

/** Does one phase of a machine. */
export function changeMachine(change: MachineChange, plan: CloudPlan, deps: CloudDeps): Promise<void> {
  const machine = openMachine(plan, change);
  if (change.phase === 'egress') return wireEgress(change, deps);
  return change.renew ? renew(machine, deps) : runManager(machine, plan, deps);
}
