import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandResult, runUnchecked } from '@selvedge/hack/setup';
import type { Bed } from '@selvedge/bed';

const main = join(import.meta.dirname, '../../../packages/edge-lite/src/main.ts');

/** edge-lite with this config file, on the machine of the tests; resolves with how it ended. */
export function runEdgeLite(configFile: string, signal: AbortSignal): Promise<CommandResult> {
  return runUnchecked({ argv: [process.execPath, main, 'run', '--config', configFile], signal });
}

/** The folder of a node's disk, on the machine of the tests. */
export function nodeFolder(bed: Bed, node: string): string {
  return join(bed.logs, '../nodes', node);
}

/** Where edge-lite on a light node keeps its state. */
export function stateFolder(bed: Bed, node: string): string {
  return join(nodeFolder(bed, node), 'root/var/lib/selvedge');
}

/** A line of edge-lite's log. */
export interface LogLine extends Readonly<Record<string, unknown>> {
  readonly level: string;
  readonly text: string;
}

/** What the bed's edge-lite on a light node has said, with the name of its log at the start. */
export async function agentLog(bed: Bed, node: string): Promise<readonly LogLine[]> {
  const text = await readFile(join(bed.logs, `edge-lite.${node}.log`), 'utf8');
  return text.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []));
}

/** edge-lite as a child of the test. */
export interface AgentByHand {
  /** Sends a signal; resolves with the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Runs the edge-lite of a light node instead of the bed, which has stopped its own, to see how it exits. */
export function startByHand(bed: Bed, node: string): AgentByHand {
  const where = `--net=/var/run/netns/selvedge.${bed.name}.node.${node}`;
  const command = [process.execPath, main, 'run', '--config', join(nodeFolder(bed, node), 'edge-lite.yaml')];
  const child = spawn('nsenter', [where, '--', ...command], {
    stdio: 'ignore',
    // By this the bed finds it when it removes the node.
    env: { ...process.env, SELVEDGE_BED_PROCESS: `${bed.name}/node.${node}/` },
  });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  return {
    async end(signal) {
      child.kill(signal);
      return (await ended)[0];
    },
  };
}
