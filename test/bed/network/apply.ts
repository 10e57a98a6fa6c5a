import { readdir } from 'node:fs/promises';
import { run, runUnchecked } from '@selvedge/hack/setup';
import { type Clock, SelvedgeError } from '@selvedge/kit';
import { killProcesses, namespaceId } from '../process/sweep.ts';
import type { NetworkStep, ObservedNamespace } from './plan.ts';
import { type NamespaceSpec, type NetworkCommand, fingerprintOf } from './spec.ts';

export const namespaceFolder = '/var/run/netns';

/** The argv that runs a program inside a network namespace. */
export function inNamespace(namespace: string, argv: readonly string[]): [string, ...string[]] {
  return ['nsenter', `--net=${namespaceFolder}/${namespace}`, '--', ...argv];
}

/** Lines for ip(8), carried out in one call. */
async function ip(
  namespace: string | undefined,
  lines: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const where = namespace === undefined ? [] : ['-n', namespace];
  await run({ argv: ['ip', ...where, '-batch', '-'], input: `${lines.join('\n')}\n`, signal });
}

async function carryOut(namespace: string, command: NetworkCommand, signal?: AbortSignal): Promise<void> {
  switch (command.kind) {
    case 'ip':
      return ip(command.namespace, command.lines, signal);
    case 'sysctl': {
      const values = Object.entries(command.values).map(([name, value]) => `${name}=${value}`);
      await run({ argv: inNamespace(namespace, ['sysctl', '-q', '-w', ...values]), signal });
      return;
    }
    case 'nft':
      await runNft(namespace, command.script, signal);
  }
}

/** Carries out an nft script in one transaction. */
export async function runNft(namespace: string, script: string, signal?: AbortSignal): Promise<void> {
  await run({ argv: inNamespace(namespace, ['nft', '-f', '-']), input: script, signal });
}

/** The loopback interface goes up last and carries the fingerprint: a half-made namespace has none. */
async function make(spec: NamespaceSpec, signal?: AbortSignal): Promise<void> {
  await run({ argv: ['ip', 'netns', 'add', spec.name], signal });
  for (const command of spec.setup) await carryOut(spec.name, command, signal);
  await ip(spec.name, [`link set lo alias ${fingerprintOf(spec)}`, 'link set lo up'], signal);
}

/** Kills what runs in the namespace, then removes it with all that is in it. Nothing happens if it is not there. */
export async function removeNamespace(name: string, deps: { readonly clock: Clock }): Promise<void> {
  if ((await namespaceId(name)) === undefined) return;
  await killProcesses({ namespaces: [name] }, deps.clock);
  await removeUplinks(name);
  await run({ argv: ['ip', 'netns', 'del', name] });
}

/** The kernel takes a namespace apart later; deleting its links here frees their names in other namespaces at once. */
async function removeUplinks(namespace: string): Promise<void> {
  const listed = await runUnchecked({ argv: ['ip', '-n', namespace, '-j', 'link', 'show', 'type', 'veth'] });
  if (listed.exitCode !== 0) return;
  for (const { ifname } of parseLinks(listed.stdout)) {
    await runUnchecked({ argv: ['ip', '-n', namespace, 'link', 'del', ifname] });
  }
}

interface Link {
  readonly ifname: string;
  readonly ifalias?: string;
  readonly flags: readonly string[];
}

function parseLinks(json: string): readonly Link[] {
  return json.trim() === '' ? [] : (JSON.parse(json) as readonly Link[]);
}

async function fingerprint(namespace: string): Promise<string | undefined> {
  const shown = await runUnchecked({ argv: ['ip', '-n', namespace, '-j', 'link', 'show', 'lo'] });
  const [loopback] = shown.exitCode === 0 ? parseLinks(shown.stdout) : [];
  return loopback?.flags.includes('UP') === true ? loopback.ifalias : undefined;
}

/** The bed's namespaces that are there, known by their names. */
export async function observeNetwork(prefix: string): Promise<readonly ObservedNamespace[]> {
  const entries = await readdir(namespaceFolder).catch(() => []);
  const names = entries.filter((entry) => entry.startsWith(prefix));
  return Promise.all(names.map(async (name) => ({ name, fingerprint: await fingerprint(name) })));
}

export async function applyNetwork(
  steps: readonly NetworkStep[],
  deps: { readonly clock: Clock },
  signal?: AbortSignal,
): Promise<void> {
  for (const step of steps) {
    signal?.throwIfAborted();
    if (step.kind === 'remove') await removeNamespace(step.namespace, deps);
    else await make(step.spec, signal);
  }
}

/** Removes the machine's end of the link into the cloud, should it have outlived the cloud's namespace. */
export async function removeHostLink(link: string): Promise<void> {
  const shown = await runUnchecked({ argv: ['ip', 'link', 'show', link] });
  if (shown.exitCode !== 0) return;
  const removed = await runUnchecked({ argv: ['ip', 'link', 'del', link] });
  if (removed.exitCode !== 0 && !removed.stderr.includes('Cannot find device')) {
    throw new SelvedgeError(`cannot remove ${link}: ${removed.stderr.trim()}`, { code: 'Internal' });
  }
}
