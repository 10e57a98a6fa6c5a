import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import type { KubectlNode } from './kubectl-node.ts';
import { pod, shell } from './pods.ts';
import { until } from './programs.ts';
import { podOf } from './tunnel-pods.ts';

export function itShowsLogs({ here, kubectl, node }: KubectlNode): void {
  const tools = podOf(node);

  it('shows logs', async () => {
    const { stdout, stderr } = await kubectl.run(['logs', tools, '--tail=1']);
    expect(stderr).toBe('');
    expect(stdout).toBe('two\n');
  });

  it('shows logs of several containers, each by its name', async () => {
    expect((await kubectl.run(['logs', tools, '--container=beside'])).stdout).toBe('three\n');
    const { stdout } = await kubectl.run(['logs', tools, '--all-containers', '--prefix', '--tail=1']);
    const lines = stdout.split('\n');
    expect(lines).toContain(`[pod/${tools}/main] two`);
    expect(lines).toContain(`[pod/${tools}/beside] three`);
  });

  it('shows the logs of the container before this one', async () => {
    const of = [tools, '--container=fallen'];
    expect((await kubectl.run(['logs', ...of, '--previous'])).stdout).toBe('last words\n');
    expect((await kubectl.run(['logs', ...of])).stdout).toBe('back\n');
  });

  it('shows logs as they are written, to their end', async () => {
    const name = `count-${randomBytes(4).toString('hex')}`;
    const counting = 'for i in 1 2 3 4 5 6; do echo $i; sleep 0.2; done';
    const counter = pod({ name, node, restartPolicy: 'Never', containers: [shell(counting)] });
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...counter });
    await here.bed.kubectl(['create', '--filename=-'], { input });
    const read = async (): Promise<string | false> => {
      const { exitCode, stdout } = await kubectl.run(['logs', '--follow', name]);
      return exitCode === 0 && stdout;
    };
    expect(await until('the logs', read)).toBe('1\n2\n3\n4\n5\n6\n');
    await here.bed.kubectl(['delete', 'pod', name, '--wait=false']);
  });
}
