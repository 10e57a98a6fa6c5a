import { describe, expect, it } from 'vitest';
import { type LiteStatus, lacking } from './edge-lite-state.ts';
import { lastTrouble } from './why.ts';

const condition = (is: string, message: string): object => ({ type: 'Ready', status: is, message });

function status(conditions: readonly object[], podCIDRs: readonly string[] = ['10.244.1.0/24']): LiteStatus {
  // As edge-lite prints it.
  return {
    hub: { connectivity: { kind: 'online' } },
    node: { labels: {}, podCIDRs, conditions },
  } as LiteStatus;
}

describe('what a node lacks until it is Ready', () => {
  it.each([
    ['an edge-lite that starts', { active: 'activating' }, 'edge-lite to start (activating)'],
    ['an answer', { active: 'active' }, 'edge-lite to answer'],
    [
      'the API server',
      { active: 'active', status: { hub: { connectivity: { kind: 'offline' } } } },
      'a connection to the API server',
    ],
    [
      'its Node',
      { active: 'active', status: { hub: { connectivity: { kind: 'online' } } } },
      'the Node object',
    ],
    [
      'a pod range',
      { active: 'active', status: status([condition('False', 'x')], []) },
      'a podCIDR from the cloud',
    ],
    [
      'a network',
      { active: 'active', status: status([condition('False', 'no network')]) },
      'Ready: no network',
    ],
  ])('is %s', (_what, state, words) => {
    expect(lacking({ exitCode: 0, ...state })).toEqual([words]);
  });

  it('is nothing once the cloud has it as Ready, whoever connects its pods', () => {
    expect(lacking({ active: 'active', exitCode: 0, status: status([condition('True', '')], []) })).toEqual(
      [],
    );
  });
});

describe('why edge-lite did not start', () => {
  const line = (level: string, text: string, error?: object): string =>
    JSON.stringify({ time: '2026-01-01T00:00:00Z', level, text, ...(error === undefined ? {} : { error }) });

  it('is the last of its errors, else of its warnings, else its last words', () => {
    const refused = line('error', 'program failed', {
      code: 'Unauthenticated',
      message: 'the token expired',
    });
    const waits = line('warn', 'discovery is tried again', { message: 'no route to host' });
    const said = line('info', 'starting');
    expect(lastTrouble([said, refused, waits, ''].join('\n'))).toBe('the token expired');
    expect(lastTrouble([waits, said].join('\n'))).toBe('no route to host');
    expect(lastTrouble(`${said}\nedge-lite.service: Failed to locate executable`)).toContain(
      'Failed to locate',
    );
    expect(lastTrouble('')).toBeUndefined();
  });
});
