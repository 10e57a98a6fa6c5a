import { SelvedgeError } from '@selvedge/kit';
import type { Host } from '../host/index.ts';
import type { Step } from '../steps/index.ts';

/** Where containerd keeps all that it has, of everybody. */
const containerdData = '/var/lib/containerd';
/** That of the CRI. */
const ours = 'k8s.io';

/** Containerd came with the join, and goes with what it has. */
const goes = (step: Step): boolean => step.kind === 'tree' && step.path === containerdData;

/**
 * Sees that nobody else has begun to use a containerd that goes. Where it does not answer it is not known to be of use to
 * anybody. Throws `Conflict`.
 */
export async function refuseOthersData(
  host: Host,
  steps: readonly Step[],
  signal: AbortSignal,
): Promise<void> {
  if (!steps.some(goes)) return;
  const { exitCode, stdout } = await host.run({ argv: ['ctr', 'namespaces', 'list', '--quiet'] }, signal);
  const names = exitCode === 0 ? stdout.toString().split('\n') : [];
  const others = names.filter((name) => name !== '' && name !== ours);
  if (others.length === 0) return;
  throw new SelvedgeError(`somebody else uses the containerd of ${host.name}: ${others.join(', ')}`, {
    code: 'Conflict',
    cause: new Error('it was installed by the join, and goes with all that its namespaces hold'),
    hint: `ctr --namespace ${others[0]} containers list shows what it is; move it away, then: ctr namespaces remove ${others.join(' ')}`,
  });
}
