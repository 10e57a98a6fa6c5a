import { expect, test } from 'vitest';
import { checkConfig } from './config.ts';

const pair = { certificateFile: '/c', keyFile: '/k' };
const document = (parts: Readonly<Record<string, object>>): object => ({
  apiVersion: 'cloud-manager.selvedge.io/v1alpha1',
  kind: 'Config',
  health: { listen: '[::]:1', ...pair },
  ...parts,
  tunnel: { listen: ['[::]:2'], ...pair, clientCaFile: '/ca', ...parts['tunnel'] },
});

/** The part of a config with these limits, or what is wrong with them. */
function checked(part: string, limits: object): unknown {
  const more = part === 'egress' ? { unixSocket: '/run/e.sock' } : { listen: '[::]:3' };
  const own = part === 'connectProxy' ? { ...more, ...pair } : more;
  const result = checkConfig(document({ [part]: part === 'tunnel' ? limits : { ...own, limits } }));
  if (result.kind === 'valid') return (result.value as Record<string, unknown>)[part];
  return result.faults.map(({ path, problem }) => `${path.join('.')}: ${problem}`);
}

test('limits are what is given; the program has the others', () => {
  expect(checked('tunnel', { limits: { maxStreams: 50 }, timeouts: { quietSeconds: 5 } })).toMatchObject({
    limits: { maxStreams: 50 },
    timeouts: { quietMs: 5_000 },
  });
  const times = { headersSeconds: 3, idleSeconds: 60 };
  for (const part of ['egress', 'connectProxy']) {
    expect(checked(part, { streams: 10, ...times })).toMatchObject({
      limits: { streams: 10, headersMs: 3_000, idleMs: 60_000 },
    });
  }
  expect(checked('kubeletProxy', { helloSeconds: 2 })).toMatchObject({ limits: { helloMs: 2_000 } });
  expect(checked('kubeletProxy', {})).toHaveProperty('limits', {});
});

const ascending = 'each at most the next';

test.each([
  ['tunnel', { limits: { maxStreams: 0 } }, 'tunnel.limits.maxStreams', 'a whole number from 1 to 100000'],
  ['tunnel', { limits: { maxBytes: '1Gi' } }, 'tunnel.limits.maxBytes', 'a whole number from 1048576'],
  ['tunnel', { limits: { maxBytes: 2 ** 20, maxSessionBytes: 2 ** 21 } }, 'tunnel.limits', ascending],
  ['tunnel', { limits: { streams: 1 } }, 'tunnel.limits.streams', 'unknown'],
  ['tunnel', { timeouts: { quietSeconds: 0.5 } }, 'tunnel.timeouts.quietSeconds', 'a whole number from 1 to'],
  ['egress', { streams: 5, streamsPerClient: 6 }, 'egress.limits', ascending],
  ['egress', { streams: 5, connections: 4 }, 'egress.limits', ascending],
  ['egress', { idleMs: 5 }, 'egress.limits.idleMs', 'unknown'],
  ['connectProxy', { reviews: -1 }, 'connectProxy.limits.reviews', 'a whole number from 1 to'],
  ['kubeletProxy', { connections: 1, connectionsPerAddress: 2 }, 'kubeletProxy.limits', ascending],
])('of the %s, %j is refused at %s', (part, limits, field, problem) => {
  expect(checked(part, limits)).toEqual([expect.stringMatching(new RegExp(`^${field}: .*${problem}`, 's'))]);
});
