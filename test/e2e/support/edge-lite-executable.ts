import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleProgram } from '@selvedge/hack/programs';
import { buildExecutable } from '@selvedge/hack/sea';
import type { Artifact } from '@selvedge/installer';
import { tuning } from '../../../packages/edge-lite/src/tuning.ts';

/** The executable of edge-lite as a release has it, for the processor of this machine. */
export async function edgeLiteExecutable(): Promise<Artifact> {
  const folder = await mkdtemp(join(tmpdir(), 'selvedge-executable-'));
  try {
    const [bundle, outfile] = [join(folder, 'edge-lite.cjs'), join(folder, 'edge-lite')];
    await bundleProgram('edge-lite', bundle);
    await buildExecutable({ bundle, arch: 'amd64', outfile, flags: tuning.flags });
    const bytes = await readFile(outfile);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { file: 'edge-lite_0.0.0_linux_amd64', bytes, sha256, version: '0.0.0' };
  } finally {
    await rm(folder, { recursive: true });
  }
}
