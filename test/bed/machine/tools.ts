import { dirname, join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { bundleProgram } from '@selvedge/hack/programs';
import type { BedContext } from '../context.ts';
import type { BedDescription } from '../description.ts';
import { provideBaseRoot } from './base-root.ts';
import type { Argv } from './doors.ts';

/** What machines are made with. */
export interface MachineTools {
  /** The root file system that they are laid over. */
  readonly base: string;
  /** The folder of programs and images. */
  readonly cache: string;
  /** What runs edge-lite on them: its bundle, for a machine has no checkout. */
  readonly edgeLite: Argv;
}

async function edgeLiteOf(context: BedContext): Promise<Argv> {
  const outfile = join(context.folders.root, 'programs/edge-lite.cjs');
  await mkdir(dirname(outfile), { recursive: true });
  await bundleProgram('edge-lite', outfile);
  return [context.edgeLite[0], outfile];
}

/** Makes what the bed's machines need, if it has any. */
export async function machineTools(
  context: BedContext,
  bed: BedDescription,
  signal?: AbortSignal,
): Promise<MachineTools | undefined> {
  const machines = bed.nodes.filter(({ kind }) => kind === 'machine');
  if (machines.length === 0) return undefined;
  const base = await provideBaseRoot({ ...context.setup, signal });
  const wanted = machines.some(({ agent }) => agent === 'lite' || agent === 'converted');
  return {
    base,
    cache: context.setup.cache.root,
    edgeLite: wanted ? await edgeLiteOf(context) : context.edgeLite,
  };
}
