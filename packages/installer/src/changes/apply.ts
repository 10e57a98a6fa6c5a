import { SelvedgeError, hasCode } from '@selvedge/kit';
import {
  type KubeClient,
  type KubeObject,
  type ObjectRef,
  applyPatch,
  ifFound,
  jsonPatch,
  mergePatch,
  resourceName,
} from '@selvedge/kube';
import type { CommandContext } from '../command/index.ts';
import { fieldManager } from './field-manager.ts';
import type { ClusterChange, ClusterWrite } from './types.ts';

export interface ApplyDeps extends Pick<CommandContext, 'progress' | 'signal'> {
  readonly cluster: Pick<KubeClient, 'create' | 'patch' | 'delete'>;
}

const refOf = ({ namespace, name = '' }: KubeObject['metadata']): ObjectRef => ({ namespace, name });

async function write(change: ClusterWrite, { cluster, signal }: ApplyDeps): Promise<void> {
  const { resource } = change;
  const options = { signal, fieldManager };
  switch (change.kind) {
    case 'apply': {
      const { object } = change;
      await cluster.patch(resource, refOf(object.metadata), { ...options, patch: applyPatch(object) });
      return;
    }
    case 'create':
      await cluster.create(resource, change.object, options);
      return;
    case 'json':
      await cluster.patch(resource, change.at, { ...options, patch: jsonPatch(change.operations) });
      return;
    case 'merge':
      await cluster.patch(resource, change.at, { ...options, patch: mergePatch(change.body) });
      return;
    case 'delete':
      await ifFound(cluster.delete(resource, change.at, { signal }));
  }
}

function changedMeanwhile(change: ClusterWrite, cause: unknown): SelvedgeError {
  const name = 'at' in change ? change.at.name : change.object.metadata.name;
  return new SelvedgeError(`${resourceName(change.resource)} ${name ?? ''} was modified concurrently`, {
    code: 'Conflict',
    cause,
    hint: 'run the same command again; it makes a new plan',
  });
}

/**
 * How an API server says that a JSON patch does not apply, and says of no object that is invalid. Source: apimachinery,
 * `errors.NewGenericServerResponse`, 422.
 */
const notApplied = 'the server rejected our request due to an error in our request';

const isOvertaken = (change: ClusterWrite, error: unknown): boolean =>
  hasCode(error, 'Conflict', 'AlreadyExists') ||
  (change.kind === 'json' && hasCode(error, 'Invalid') && error.message.includes(notApplied));

/** Does the changes one after another, each a task. Throws what the API server says; what was done before stays. */
export async function applyChanges(changes: readonly ClusterChange[], deps: ApplyDeps): Promise<void> {
  for (const { what, write: change } of changes) {
    deps.signal.throwIfAborted();
    await deps.progress.task(what, async () => {
      await write(change, deps).catch((error: unknown) => {
        throw isOvertaken(change, error) ? changedMeanwhile(change, error) : error;
      });
    });
  }
}
