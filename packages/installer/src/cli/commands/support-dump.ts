import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SelvedgeError, systemCode } from '@selvedge/kit';
import type { Command } from 'commander';
import { describeSupportDump, supportDump } from '../../support-dump/index.ts';
import { openCluster } from '../cluster.ts';
import { type ClusterFlags, withCluster } from '../flags/cluster.ts';
import { withJson, wholeNumber } from '../flags/common.ts';
import { type MachineFlags, machinesIfAsked, withMachines } from '../flags/machines.ts';
import { type NodeFlags, choiceOf, withNodes } from '../flags/nodes.ts';
import { createHostsIfAsked } from '../machines/index.ts';
import type { CommonFlags, Program } from '../program.ts';

interface SupportDumpFlags extends CommonFlags, ClusterFlags, NodeFlags, MachineFlags {
  readonly output?: string;
  readonly logLines?: number;
}

const maxLogLines = 1_000_000;

/** `selvedge-support-20261122T040000Z.tar.gz`. */
const nameAt = (ms: number): string =>
  `selvedge-support-${new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, '')}.tar.gz`;

/** A new file: none is overwritten. Throws `Invalid`. */
async function save(file: string, archive: Uint8Array): Promise<string> {
  try {
    await writeFile(file, archive, { mode: 0o600, flag: 'wx' });
    return resolve(file);
  } catch (cause) {
    const why = systemCode(cause) === 'EEXIST' ? 'already exists' : 'cannot be written';
    throw new SelvedgeError(`${file} ${why}`, { code: 'Invalid', cause, hint: 'use --output FILE' });
  }
}

export function addSupportDump(root: Command, program: Program): void {
  const { host } = program;
  const command = withJson(withCluster(root.command('support-dump')))
    .description('collect diagnostics for support in one archive, with secrets redacted')
    .option(
      '-o, --output <file>',
      'file to write; default: selvedge-support-TIME.tar.gz in the current directory',
    )
    .option(
      '--log-lines <n>',
      'how many of the last lines of each log; default: 5000',
      wholeNumber(1, maxLogLines),
    );
  const frame = { kind: 'SupportDumpResult', describe: describeSupportDump };
  withMachines(withNodes(command, 'all'), machinesIfAsked).action((flags: SupportDumpFlags) =>
    program.perform(frame, flags, async (run) => {
      await using cluster = await openCluster(flags, host);
      const hosts = await createHostsIfAsked(flags, { ...run, host, cluster });
      const file = flags.output ?? nameAt(host.clock.now());
      const { logLines } = flags;
      return await supportDump(
        { choice: choiceOf(flags), ...(logLines === undefined ? {} : { logLines }) },
        { ...run, cluster: cluster.client, hosts, save: (archive) => save(file, archive) },
      );
    }),
  );
}
