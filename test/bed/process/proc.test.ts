import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { identify, isRunning, parseStat, readTraits } from './proc.ts';
import { matches } from './sweep.ts';

const after = 'S 1 2 3 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 1 1';

test.prop([fc.string()])('the start time is found whatever the program calls itself', (name) => {
  expect(parseStat(`42 (${name}) ${after}\n`)).toEqual({ state: 'S', parent: 1, startTicks: '987654' });
});

describe('a process', () => {
  it('is known by its pid and its start', async () => {
    const me = await identify(process.pid);
    expect(me?.pid).toBe(process.pid);
    if (me === undefined) return;
    expect(await isRunning(me)).toBe(true);
    expect(await isRunning({ ...me, startTicks: '1' })).toBe(false);
  });

  it('that is gone has no traits', async () => {
    expect(await readTraits(2 ** 22 + 1)).toEqual({
      parent: undefined,
      network: '',
      environment: [''],
      cgroups: [''],
    });
  });
});

describe('the filter of processes', () => {
  const filter = {
    namespaces: ['x'],
    mark: 'bed/',
    variable: 'TMPDIR=/run-1',
    cgroup: 'selvedge-bed',
    exceptChildrenOf: 9,
  };
  const nobody = { parent: 8, network: 'net:[1]', environment: [], cgroups: ['/'] };
  it.each([
    ['in a namespace', { ...nobody, network: 'net:[7]' }, true],
    ['with the mark', { ...nobody, environment: ['A=b', 'SELVEDGE_BED_PROCESS=bed/cloud/'] }, true],
    [
      'with the mark of another bed',
      { ...nobody, environment: ['SELVEDGE_BED_PROCESS=bed-2/cloud/'] },
      false,
    ],
    ['with the variable', { ...nobody, environment: ['A=b', 'TMPDIR=/run-1'] }, true],
    [
      'with the variable, but a child of who is excepted',
      { ...nobody, parent: 9, environment: ['TMPDIR=/run-1'] },
      false,
    ],
    ['with another value of it', { ...nobody, environment: ['TMPDIR=/run-10'] }, false],
    ['in the cgroup', { ...nobody, cgroups: ['/', '/selvedge-bed'] }, true],
    ['below the cgroup', { ...nobody, cgroups: ['/selvedge-bed/n/kubepods/x'] }, true],
    ['in the cgroup of another bed', { ...nobody, cgroups: ['/selvedge-bed-2'] }, false],
    ['of somebody else', nobody, false],
  ])('judges a process %s', (_, traits, expected) => {
    expect(matches(filter, new Set(['net:[7]']), traits)).toBe(expected);
  });

  it('takes nobody when nothing is known of the namespaces', () => {
    expect(matches({ namespaces: ['x'] }, new Set(), { ...nobody, network: '' })).toBe(false);
  });
});
