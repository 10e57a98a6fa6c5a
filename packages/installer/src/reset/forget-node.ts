import { hasCode } from '@selvedge/kit';
import { deleteNode } from './delete-node.ts';
import type { ResetDeps, ResetResult } from './types.ts';

/**
 * Nobody reports for the Node any more. One that cannot be deleted is a warning; a stop is thrown, and what it leaves is a note then, as
 * there will be no result that tells of it.
 */
export async function forgetNode(
  node: string,
  { cluster, clock, signal, progress }: Pick<ResetDeps, 'cluster' | 'clock' | 'signal' | 'progress'>,
): Promise<Pick<ResetResult, 'nodeObject' | 'warnings'>> {
  const byHand = `kubectl delete node ${node}`;
  if (cluster === undefined) {
    return { nodeObject: 'left', warnings: [`the Node object still exists; to delete it:\n    ${byHand}`] };
  }
  const left: string[] = [];
  const onLeft = (text: string): number => left.push(text);
  try {
    await deleteNode(node, { cluster, clock, signal, onLeft });
  } catch (error) {
    if (!hasCode(error, 'Forbidden', 'Unavailable', 'DeadlineExceeded', 'Invalid')) {
      for (const text of left) progress.note(text);
      throw error;
    }
    const warning = `the Node object could not be deleted: ${error.message}; to delete it later:\n    ${byHand}`;
    return { nodeObject: 'left', warnings: [warning, ...left] };
  }
  return { nodeObject: 'deleted', warnings: left };
}
