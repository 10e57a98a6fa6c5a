import { SelvedgeError } from '@selvedge/kit';
import type { Host } from '../host/index.ts';
import type { BegunRun } from '../journal/index.ts';
import { removablePackages } from '../steps/index.ts';
import { podNamespace } from '../places.ts';

/** Where containerd keeps all that it has, of everybody. */
const containerdData = '/var/lib/containerd';

/** Where containerd does not answer it is not known to be of use to anybody. */
async function refuseOthersData(host: Host, signal: AbortSignal): Promise<void> {
  const { exitCode, stdout } = await host.run({ argv: ['ctr', 'namespaces', 'list', '--quiet'] }, signal);
  const names = exitCode === 0 ? stdout.toString().split('\n') : [];
  const others = names.filter((name) => name !== '' && name !== podNamespace);
  if (others.length === 0) return;
  throw new SelvedgeError(`containerd on ${host.name} is in use, namespaces: ${others.join(', ')}`, {
    code: 'Conflict',
    cause: new Error('the join installed it, so reset would remove it with everything in its namespaces'),
    hint: `see what it is with ctr --namespace ${others[0]} containers list; move it elsewhere, then run ctr namespaces remove ${others.join(' ')}`,
  });
}

/**
 * Sees that nobody else has begun to use what goes: data in a containerd that came with the join, packages that others need.
 * Throws `Conflict`.
 */
export async function refuseIfUsed(
  host: Host,
  { steps }: Pick<BegunRun, 'steps'>,
  signal: AbortSignal,
): Promise<void> {
  for (const { step, progress } of steps) {
    if (!('before' in progress)) continue;
    const { before } = progress;
    if (step.kind === 'tree' && step.path === containerdData) await refuseOthersData(host, signal);
    if (step.kind === 'packages' && before.kind === 'packages')
      await removablePackages(host, { manager: step.manager, came: before.missing }, signal);
  }
}
