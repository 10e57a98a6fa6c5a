import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { connectivityOf, judge, type Evidence, type LinkState } from './connectivity-plan.ts';

const [then, now] = [1_000, 2_000];
const connecting: LinkState = { kind: 'connecting', sinceMs: then };
const online: LinkState = { kind: 'online', sinceMs: then, server: 'a' };
const doubt = { reason: 'silent', patienceMs: 5 } as const;
const doubted: LinkState = { ...online, kind: 'doubted', ...doubt, proof: 'answer' };
const distrusted: LinkState = { ...doubted, proof: 'probe' };
const offline: LinkState = { kind: 'offline', sinceMs: then, reason: 'refused' };
const healing: LinkState = { ...offline, kind: 'healing' };

const answer: Evidence = { kind: 'answered', server: 'a', by: 'answer' };
const ready: Evidence = { kind: 'answered', server: 'b', by: 'probe' };
const suspected: Evidence = { kind: 'suspected', ...doubt, proof: 'answer' };
const unreachable: Evidence = { kind: 'unreachable', reason: 'no route' };
const overdue: Evidence = { kind: 'overdue' };

describe('the judgement of the link', () => {
  it.each<[string, LinkState, Evidence, LinkState]>([
    ['the first answer counts', connecting, answer, { ...online, sinceMs: now }],
    ['the first probe counts', connecting, ready, { ...online, sinceMs: now, server: 'b' }],
    [
      'a failed first probe counts',
      connecting,
      unreachable,
      { kind: 'offline', sinceMs: now, reason: 'no route' },
    ],
    [
      'a silent start is offline',
      connecting,
      overdue,
      { kind: 'offline', sinceMs: now, reason: 'no answer since the start' },
    ],
    ['another server takes over', online, ready, { ...online, server: 'b' }],
    ['a suspicion is looked into', online, suspected, doubted],
    ['any answer clears a doubt', doubted, answer, online],
    ['a probe clears a doubt, elsewhere too', doubted, ready, { ...online, server: 'b' }],
    ['only a probe clears a distrusted server', distrusted, ready, { ...online, server: 'b' }],
    [
      'a failed probe confirms a doubt',
      doubted,
      unreachable,
      { kind: 'offline', sinceMs: now, reason: 'no route' },
    ],
    ['a late probe confirms a doubt', doubted, overdue, { kind: 'offline', sinceMs: now, reason: 'silent' }],
    ['the reason is kept up to date', offline, unreachable, { ...offline, reason: 'no route' }],
    ['one good probe is a beginning', offline, ready, healing],
    ['a second one is enough', healing, ready, { kind: 'online', sinceMs: now, server: 'b' }],
    ['a relapse does not move the beginning', healing, unreachable, { ...offline, reason: 'no route' }],
    ['a connection lost while healing is a relapse', healing, suspected, { ...offline, reason: 'silent' }],
  ])('%s', (_what, before, evidence, after) => {
    expect(judge(before, evidence, now)).toEqual(after);
  });

  it.each<[string, LinkState, Evidence]>([
    ['a suspicion before anything is known', connecting, suspected],
    ['an answer while online', online, answer],
    ['a failed probe whose doubt an answer took away', online, unreachable],
    ['a late probe whose doubt an answer took away', online, overdue],
    ['a second suspicion', doubted, suspected],
    ['an answer of a server that is not trusted to be ready', distrusted, answer],
    ['a straggling answer while offline', offline, answer],
    ['a suspicion while offline', offline, suspected],
    ['the same reason again', offline, { kind: 'unreachable', reason: 'refused' }],
    ['a late probe while healing', healing, overdue],
  ])('ignores %s', (_what, state, evidence) => {
    expect(judge(state, evidence, now)).toBe(state);
  });
});

const someEvidence = fc.constantFrom(answer, ready, suspected, unreachable, overdue);

property.prop([fc.array(someEvidence)])(
  'never comes back with fewer than two good probes, and never leaves without a doubt',
  (all) => {
    let state: LinkState = online;
    let good = 0;
    for (const evidence of all) {
      const next = judge(state, evidence, now);
      const [before, after] = [connectivityOf(state).kind, connectivityOf(next).kind];
      if (evidence === ready) good += 1;
      if (before === 'online' && after === 'offline') {
        expect(state.kind).toBe('doubted');
        good = 0;
      }
      if (before === 'offline' && after === 'online') expect(good).toBeGreaterThanOrEqual(2);
      state = next;
    }
  },
);
