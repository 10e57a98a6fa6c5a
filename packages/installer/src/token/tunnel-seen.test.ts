import { describe, expect, it } from 'vitest';
import { tunnelCaChanges } from './join-configs.ts';
import { type TunnelSeen, refuseUnknown, tunnelWarnings } from './tunnel-seen.ts';

const servers = ['tunnel.example.com:443'];
const known: TunnelSeen = { kind: 'known', servers, ca: 'PEM' };
const unknown: TunnelSeen = { kind: 'unknown', servers, why: 'the Secret has no ca.crt', hint: 'add it' };
const none: TunnelSeen = { kind: 'none' };

describe('machines that cannot know whom to trust', () => {
  it('are refused, with what is wrong and what helps', () => {
    const refusal = (): void => refuseUnknown(unknown, { servers });
    expect(refusal).toThrow(
      expect.objectContaining({
        code: 'Conflict',
        message: 'cannot tell machines whom to trust at the tunnel: the Secret has no ca.crt',
        hint: 'add it',
        details: { findings: ['the Secret has no ca.crt'] },
      }),
    );
  });

  it.each([
    ['without a tunnel', unknown, { servers: [] }],
    ['told by the cluster', known, { servers }],
    ['in a cluster that says nothing of a tunnel', none, { servers }],
  ])('are none %s', (_what, tunnel, told) => {
    expect(() => refuseUnknown(tunnel, told)).not.toThrow();
  });
});

it.each([
  ['a tunnel nobody knows the place of', known, { servers: [], published: undefined }, /--tunnel-server/],
  [
    'one of which nobody may know the place',
    { ...known, serversUnknown: 'you are not allowed to get services' },
    { servers: [], published: undefined },
    /^you are not allowed to get services, so nodes that join get no tunnel: add --tunnel-server/,
  ],
  [
    'one that this cluster does not know',
    none,
    { servers, published: undefined },
    /will trust the cluster CA/,
  ],
])('a person is warned of %s', (_what, tunnel, told, warning) => {
  expect(tunnelWarnings(tunnel, told)).toEqual([expect.stringMatching(warning)]);
});

it.each([
  ['a cluster without one', none, { servers: [], published: undefined }],
  ['one whose CA is published', none, { servers, published: 'PEM' }],
  ['one that is known', known, { servers, published: undefined }],
])('nobody is warned of %s', (_what, tunnel, told) => {
  expect(tunnelWarnings(tunnel, told)).toEqual([]);
});

describe('a CA that a person published', () => {
  const text = 'PEM of theirs';

  it.each([none, unknown])('stays where nobody else knows it, and is opened to tokens: %j', (tunnel) => {
    expect(tunnelCaChanges(tunnel, { text, isOpen: true })).toEqual([]);
    const kinds = tunnelCaChanges(tunnel, { text, isOpen: false }).map(({ write }) => write.kind);
    expect(kinds).toEqual(['apply', 'apply']);
  });

  it('is left alone while nobody knows what of it there is', () => {
    const unread = [{ right: { group: '', resource: 'roles', verb: 'get' }, why: 'no' }];
    expect(tunnelCaChanges(known, { text: undefined, isOpen: false, unread })).toEqual([]);
  });

  it('is replaced by what is known', () => {
    expect(tunnelCaChanges(known, { text, isOpen: true })).toMatchObject([{ what: /^publish/ }]);
    expect(tunnelCaChanges({ ...known, ca: undefined }, { text, isOpen: true })).toMatchObject([
      { write: { kind: 'delete' } },
    ]);
  });
});
