import { describe, expect, it } from 'vitest';

import { createSerial } from './serial.ts';

describe('serial work', () => {
  it('goes one after another for a key, also after a failure, and side by side for two', async () => {
    const serial = createSerial();
    const log: string[] = [];
    const gate = Promise.withResolvers<void>();
    const first = serial.run('a', async () => {
      await gate.promise;
      log.push('a1');
      throw new Error('a1 failed');
    });
    const second = serial.run('a', async () => void log.push('a2'));
    await serial.run('b', async () => void log.push('b1'));
    gate.resolve();
    await expect(first).rejects.toThrow('a1 failed');
    await second;
    expect(log).toEqual(['b1', 'a1', 'a2']);
  });
});
