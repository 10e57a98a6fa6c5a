import { availableParallelism, totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import {
  type ClientsSite,
  agents,
  busyMebibytes,
  busyPodOf,
  cloudNode,
  mebibyte,
  nodes,
} from './clients-site.ts';
import { until } from './programs.ts';

/** What metrics-server has read from the kubelets. */
export function describeTop(here: ClientsSite): void {
  describe('kubectl top, from metrics-server', () => {
    /** The words of each line, without the head. */
    const table = async (...args: readonly string[]): Promise<readonly (readonly string[])[]> => {
      const { stdout } = await here.kubectl.run(['top', ...args, '--no-headers']);
      const lines = stdout.split('\n').filter((line) => line !== '');
      return lines.map((line) => line.trim().split(/\s+/));
    };
    /** `101m`, `48Mi` */
    const amount = (text = ''): number => Number(/^(\d+)(?:m|Mi)$/.exec(text)?.[1]);

    it('shows every node', async () => {
      const wanted = [cloudNode, ...Object.values(nodes)];
      const shown = await until('all nodes', async () => {
        const found = (await table('nodes')).filter(([, cpu]) => cpu !== '<unknown>');
        return found.length === wanted.length && found;
      });
      expect(new Set(shown.map(([node]) => node))).toEqual(new Set(wanted));
      for (const [, cpu, , memory] of shown) {
        expect(amount(cpu)).toBeGreaterThan(0);
        expect(amount(cpu)).toBeLessThan(availableParallelism() * 1_100);
        expect(amount(memory)).toBeGreaterThan(100);
        expect(amount(memory)).toBeLessThan(totalmem() / mebibyte);
      }
    });

    it.each(agents)('shows what a pod of the %s node takes', async (agent) => {
      const [, , cpu, memory] = await until('the pod', async () => {
        const found = await table('pods', busyPodOf(agent), '--containers');
        return found.find(([, container]) => container === 'burn');
      });
      // A tenth of a processor, unless others take all there is.
      expect(amount(cpu)).toBeGreaterThan(5);
      expect(amount(cpu)).toBeLessThan(150);
      expect(amount(memory)).toBeGreaterThanOrEqual(busyMebibytes);
      expect(amount(memory)).toBeLessThan(2 * busyMebibytes);
    });
  });
}
