import { join } from 'node:path';
import type { Bed } from '@selvedge/bed';

/** What we ship for clients of kubelets. */
export const deploy = join(import.meta.dirname, '../../../deploy');

export type Manifest = Readonly<Record<string, unknown>>;

export async function apply(bed: Bed, items: readonly object[]): Promise<void> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await bed.kubectl(['apply', '--server-side', '--filename=-'], { input });
}

/** A program of the machine, `/program` in an image that has what it needs: none has to be made of it. */
export const fromMachine = (path: string): { readonly volume: Manifest; readonly mount: Manifest } => ({
  volume: { name: 'program', hostPath: { path, type: 'File' } },
  mount: { name: 'program', mountPath: '/program', readOnly: true },
});
