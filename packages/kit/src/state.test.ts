import { expect, it } from 'vitest';
import { createStateMachine } from './state.ts';
import { recordingLogger } from './testing.ts';

type Link =
  | { readonly kind: 'down' }
  | { readonly kind: 'dialling'; readonly attempt: number }
  | { readonly kind: 'up' };

function link() {
  const log = recordingLogger();
  const moves: string[] = [];
  const machine = createStateMachine<Link>(
    {
      name: 'link',
      initial: { kind: 'down' },
      moves: { down: ['dialling'], dialling: ['dialling', 'up', 'down'], up: ['down'] },
    },
    { log, onMove: (from, to) => moves.push(`${from.kind} > ${to.kind}`) },
  );
  return { machine, log, moves };
}

it('moves along its table, logged and reported', () => {
  const { machine, log, moves } = link();
  machine.move({ kind: 'dialling', attempt: 1 });
  machine.move({ kind: 'dialling', attempt: 2 });
  machine.move({ kind: 'up' });
  expect(machine.current).toEqual({ kind: 'up' });
  expect(moves).toEqual(['down > dialling', 'dialling > dialling', 'dialling > up']);
  expect(log.lines[2]?.fields).toEqual({ machine: 'link', from: 'dialling', to: 'up' });
});

it('refuses any other move and stays', () => {
  const { machine } = link();
  expect(() => {
    machine.move({ kind: 'up' });
  }).toThrow('link cannot move from down to up');
  expect(machine.current).toEqual({ kind: 'down' });
});
