import { SelvedgeError, explain, withDeadline } from '@selvedge/kit';
import type { HostFiles } from '../../files/index.ts';
import type { Machine } from '../../host/index.ts';
import { type Step, noSources } from '../../steps/index.ts';
import { awaitApiServer } from '../egress/api-server.ts';
import { manifestFile } from '../egress/manifest.ts';
import { applyOn, undoOn } from '../machine/run.ts';
import { egressSteps } from '../machine/steps.ts';
import { type CloudDeps, cloudTimeouts } from '../types.ts';

/** For a machine to be as it was after Ctrl-C: a few files. */
const stopMs = 60_000;

/** Takes the edit back after the API server did not come back, and says both. */
async function takenBack(machine: Machine, cause: unknown, deps: CloudDeps): Promise<SelvedgeError> {
  const { name } = machine;
  const { timeouts = cloudTimeouts } = deps;
  const message = `the API server on ${name} did not become ready with the EgressSelector`;
  try {
    await undoOn({ machine, phase: 'egress' }, deps);
    await awaitApiServer({ node: name, withEgress: false, timeoutMs: timeouts.apiServerMs }, deps);
  } catch (error) {
    return new SelvedgeError(`${message}, and undoing the edit failed: ${explain(error)}`, {
      code: 'Internal',
      cause,
      hint: `restore ${manifestFile} on ${name}; the original is next to it, as .kube-apiserver.yaml.selvedge-…`,
    });
  }
  return new SelvedgeError(`${message}; its manifest was restored, and it is ready again`, {
    code: 'Unavailable',
    cause,
    hint: `see why with crictl logs of kube-apiserver on ${name}; to do without the EgressSelector: --manager deployment`,
  });
}

/**
 * Takes the edit back when a person stops, under a signal of its own: if that API server is the only one and does not come back,
 * nobody can do it by the cluster afterwards. It is not waited for.
 */
async function takeBackAtStop(machine: Machine, deps: CloudDeps): Promise<void> {
  const { name } = machine;
  const { clock, progress } = deps;
  const what = `restoring the manifest of the API server on ${name}`;
  progress.note(what);
  try {
    await withDeadline({ what, timeoutMs: stopMs }, clock, (signal) =>
      undoOn({ machine, phase: 'egress' }, { ...deps, signal }),
    );
    progress.note(`the manifest of the API server on ${name} is restored`);
  } catch (error) {
    progress.note(
      `${what} failed: ${explain(error)}; to restore it: selvedge revert --offline --nodes ${name}=ADDRESS`,
    );
  }
}

/**
 * Lets the API server of a machine go through cloud-manager; `renew`: its manifest is without the edit of a run before, of which
 * nothing else is needed any more. If it does not become ready, or a person stops, that is taken back.
 */
export async function wireEgress(
  { machine, renew }: { readonly machine: Machine; readonly renew: boolean },
  deps: CloudDeps,
): Promise<void> {
  const { signal, timeouts = cloudTimeouts } = deps;
  // That the manifest stays as it is now was said by the plan.
  if (renew) await undoOn({ machine, phase: 'egress' }, { ...deps, onKept: () => undefined });
  const steps = async (files: HostFiles): Promise<readonly Step[]> =>
    egressSteps((await files.read(manifestFile, {}, signal)).toString());
  await applyOn({ machine, phase: 'egress' }, { plan: steps, sources: noSources }, deps);
  try {
    const watch = { node: machine.name, withEgress: true, timeoutMs: timeouts.apiServerMs };
    await awaitApiServer(watch, deps);
  } catch (error) {
    if (!signal.aborted) throw await takenBack(machine, error, deps);
    await takeBackAtStop(machine, deps);
    throw error;
  }
}
