import { describe, expect, it } from 'vitest';
import { type Faults, checkShape, describeFaults, faultRules, rateCommands } from './faults.ts';

const rules = (faults: Faults): string => faultRules(faults, '10.60.3.1');

describe('faults of a WAN', () => {
  it('replace the ones before in one transaction', () => {
    expect(rules({}).split('\n').slice(0, 3)).toEqual([
      'table inet faults',
      'delete table inet faults',
      'table inet faults {',
    ]);
  });

  it('let everything through when there are none', () => {
    expect(rules({})).not.toMatch(/drop|reject|redirect|numgen/);
    expect(describeFaults({})).toBe('ok');
  });

  it('drop in a blackhole and answer in a refusal, in both directions', () => {
    expect(rules({ cut: 'blackhole' }).match(/[io]ifname "wan0" drop/g)).toHaveLength(4);
    expect(
      rules({ cut: 'refused' }).match(/[io]ifname "wan0" meta l4proto tcp reject with tcp reset/g),
    ).toHaveLength(4);
    expect(rules({ cut: 'refused' })).not.toContain('drop');
  });

  it('lead connections through the proxy only when something asks for it, and never during a cut', () => {
    const shape = { latencyMs: 100 };
    expect(rules({ shape })).toContain('iifname "lan" ip daddr 10.60.3.1 tcp dport 6443 redirect to :20002');
    expect(rules({ shape: { loss: 0.5 } })).not.toContain('redirect');
    expect(rules({ shape, cut: 'refused' })).not.toContain('redirect');
  });

  it('count loss in millionths', () => {
    expect(rules({ shape: { loss: 0.025 } })).toContain('numgen random mod 1000000 < 25000 drop');
    expect(rules({ shape: { loss: 1 } })).toMatch(/[io]ifname "wan0" drop/);
  });

  it('set a rate on both sides of the router and take it away', () => {
    const [up, down] = rateCommands({ shape: { kilobitsPerSecond: 512 } }).map((argv) => argv.join(' '));
    expect(up).toBe('qdisc replace dev wan0 root tbf rate 512kbit burst 3200 latency 200ms');
    expect(down).toContain('dev lan root tbf rate 512kbit');
    expect(rateCommands({})).toEqual([
      ['qdisc', 'del', 'dev', 'wan0', 'root'],
      ['qdisc', 'del', 'dev', 'lan', 'root'],
    ]);
  });

  it.each([{ loss: 1.2 }, { loss: 0 }, { latencyMs: -1 }, { kilobitsPerSecond: Number.NaN }])(
    'refuse %j',
    (shape) => {
      expect(() => checkShape(shape)).toThrow('out of range');
    },
  );

  it('are told to people', () => {
    const shape = { kilobitsPerSecond: 512, loss: 0.02, latencyMs: 150, jitterMs: 20, resetEveryMs: 5_000 };
    expect(describeFaults({ cut: 'refused', shape })).toBe(
      'cut (refused), 512 kbit/s, 2 % loss, 150 ms latency, 20 ms jitter, resets every 5000 ms',
    );
  });
});
