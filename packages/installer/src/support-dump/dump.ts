import { createLimiter, hasCode } from '@selvedge/kit';
import { resources } from '@selvedge/kube';
import { check } from '../check/index.ts';
import { clusterNodeOf, selectNodes } from '../cluster/index.ts';
import type { Machine } from '../host/index.ts';
import { status } from '../status/index.ts';
import { limits } from '../limits.ts';
import { archiveOf } from './archive.ts';
import { type Collection, createCollection } from './collection.ts';
import { addCluster } from './from-cluster.ts';
import { addMachine } from './from-machine.ts';
import {
  type SupportDumpDeps,
  type SupportDumpOptions,
  type SupportDumpResult,
  dumpDefaults,
} from './types.ts';

const about = `Diagnostics of a Selvedge installation, for support.

check.json      findings of selvedge check
status.json     output of selvedge status
cluster/        API objects, Events, cloud-manager logs
nodes/NAME/     for each machine that could be reached: logs, hub status, config, installer journal
missing.json    what could not be read, and why

Secrets are redacted: values of Secrets and environment variables, tokens, keys, passwords. Names of nodes, pods and units,
addresses and log lines are not. Review the archive before you share it.
`;

/** The machines that are meant; while the API server is away those that were named. */
async function machinesOf(
  { choice = {} }: SupportDumpOptions,
  { cluster, signal }: SupportDumpDeps,
): Promise<readonly Machine[]> {
  const { nodes: named = [], selector } = choice;
  try {
    const { items } = await cluster.listAll(resources.nodes, { signal });
    const nodes = items.map(clusterNodeOf);
    return named.length === 0 && selector === undefined ? nodes : selectNodes(choice, nodes);
  } catch (error) {
    signal.throwIfAborted();
    if (hasCode(error, 'Invalid', 'NotFound')) throw error;
    return named.map(({ name, address }) => ({ name, addresses: address === undefined ? [] : [address] }));
  }
}

async function addMachines(
  collection: Collection,
  { machines, lines }: { readonly machines: readonly Machine[]; readonly lines: number },
  { hosts, signal, progress }: SupportDumpDeps,
): Promise<void> {
  if (hosts === undefined) return;
  const limiter = createLimiter({ capacity: limits.atATime });
  const one = async (machine: Machine): Promise<void> => {
    try {
      await using host = await hosts.open(machine, signal);
      await addMachine(collection, { host, node: machine.name, lines }, signal);
    } catch (error) {
      signal.throwIfAborted();
      collection.miss(`nodes/${machine.name}`, error);
    }
  };
  const work = (machine: Machine): Promise<void> =>
    limiter.run(signal, () => progress.task(`node ${machine.name}`, () => one(machine)));
  await Promise.all(machines.map(work));
}

/**
 * Gathers what is known of an installation into one archive, without secrets. Changes nothing. What cannot be read is told in
 * it; so an API server that is away, or a machine that cannot be entered, makes it smaller and is no failure. Throws `Invalid` and
 * `NotFound` for a choice of nodes that means nothing.
 */
export async function supportDump(
  options: SupportDumpOptions,
  deps: SupportDumpDeps,
): Promise<SupportDumpResult> {
  const { progress, clock, signal, version } = deps;
  const lines = options.logLines ?? dumpDefaults.logLines;
  const machines = await machinesOf(options, deps);
  const collection = createCollection();
  collection.addText('README.txt', about);
  collection.addJson('version.json', { selvedge: version, at: new Date(clock.now()).toISOString() });
  // Machines are looked at below; here the API server's word is enough.
  const alone = { ...deps, hosts: undefined };
  await progress.task('check', () => collection.add('check.json', () => check(options, alone), signal));
  await progress.task('status', () => collection.add('status.json', () => status(options, alone), signal));
  await progress.task('cluster', () => addCluster(collection, { logLines: lines }, deps));
  await addMachines(collection, { machines, lines }, deps);
  const { missing } = collection;
  collection.addJson('missing.json', missing);
  const archive = await archiveOf(collection.files, clock.now());
  const entries = collection.files.map(({ path, bytes, cut }) => ({ path, bytes, cut }));
  return { file: await deps.save(archive), bytes: archive.length, entries, missing };
}
