import { seededRandom } from '@selvedge/kit/testing';
import { systemClock } from '@selvedge/kit';
import { describe, expect, it } from 'vitest';
import type { Host } from '../host/index.ts';
import { encodeRecord } from '../journal/codec.ts';
import type { JournalRecord } from '../journal/index.ts';
import type { Step } from '../steps/index.ts';
import { describeReset, resetPlan } from './describe.ts';
import { refuseIfUsed } from './if-used.ts';
import { reset } from './reset.ts';
import type { ResetDeps } from './types.ts';

const steps: readonly Step[] = [
  { kind: 'images', namespace: 'k8s.io' },
  { kind: 'sysctl', name: 'net/ipv4/ip_forward', value: '1' },
  { kind: 'tree', path: '/etc/selvedge', mode: 0o700 },
  { kind: 'pods', program: '/usr/local/bin/edge-lite', config: '/etc/selvedge/edge-lite.yaml' },
  { kind: 'unit', name: 'edge-lite.service' },
];
const begun = (command: string): JournalRecord => ({
  kind: 'begun',
  run: 'r1',
  command,
  version: '1',
  at: '2026-01-01T00:00:00Z',
  steps,
});

/** A machine with this journal, on which nothing else can be done. */
function depsOf(
  journal: string,
  answers: Readonly<Record<string, string | number>> = {},
): ResetDeps & { readonly agreed: number } {
  let agreed = 0;
  const host: Host = {
    name: 'till-5',
    async run({ argv }) {
      const answer = answers[argv[0]];
      if (typeof answer === 'number')
        return { exitCode: answer, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
      if (answer !== undefined) return { exitCode: 0, stdout: Buffer.from(answer), stderr: Buffer.alloc(0) };
      if (argv[0] !== 'cat') throw new Error(`${argv.join(' ')} was run`);
      return { exitCode: 0, stdout: Buffer.from(journal), stderr: Buffer.alloc(0) };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const progress: ResetDeps['progress'] = { task: (_title, work) => work(progress), note: () => undefined };
  return {
    get agreed() {
      return agreed;
    },
    hosts: { open: async () => host },
    progress,
    agree: async () => {
      agreed += 1;
      return true;
    },
    clock: systemClock,
    random: seededRandom(1),
    signal: new AbortController().signal,
    version: '1',
  };
}

const machine = { name: 'till-5', addresses: [] };

describe('a reset', () => {
  it('does not take back what another command did', async () => {
    const deps = depsOf(encodeRecord(begun('selvedge convert')).line);
    await expect(reset({ machine }, deps)).rejects.toMatchObject({
      code: 'Conflict',
      hint: expect.stringContaining('selvedge revert'),
    });
    expect(deps.agreed).toBe(0);
  });

  it('does not take a machine for a bare one whose unit leads to a config of ours', async () => {
    const deps = depsOf('', { sh: 'led /etc/systemd/system/edge-lite.service\n' });
    const back = reset({ machine }, deps);
    await expect(back).rejects.toMatchObject({ code: 'Corrupt', message: /edge-lite.service/ });
  });

  it('guesses nothing from a journal that is damaged, and tells what it knows', async () => {
    const whole = encodeRecord(begun('selvedge join')).line;
    const deps = depsOf(`${whole}${'0'.repeat(64)} {}\n`);
    const refusal = await reset({ machine }, deps).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'Corrupt', message: expect.stringContaining('damaged at line 2') });
    expect(refusal).toMatchObject({ cause: { message: expect.stringContaining('selvedge join') } });
  });
});

describe('what came with the join', () => {
  const came: readonly Step[] = [
    { kind: 'tree', path: '/var/lib/containerd', mode: 0o755 },
    { kind: 'packages', manager: 'dnf', names: ['containerd'], archives: [] },
  ];
  const done = { kind: 'done', before: { kind: 'packages', missing: ['containerd'] } } as const;
  const state = { steps: came.map((step) => ({ step, progress: done })) };
  const asked = async (answers: Readonly<Record<string, string | number>>): Promise<void> => {
    const { hosts, signal } = depsOf('', { ctr: 'k8s.io\n', rpm: 'ii containerd\n', ...answers });
    await using host = await hosts.open(machine);
    await refuseIfUsed(host, state, signal);
  };

  it('goes if nobody else uses it', async () => {
    await expect(asked({ env: 0 })).resolves.toBeUndefined();
  });

  it.each([
    ['others have something in its containerd', { ctr: 'k8s.io\nmoby\ndefault\n' }, /moby, default/],
    ['other packages need it', { env: 1 }, /other packages on till-5 need containerd/],
  ])('stays, with all the rest, while %s', async (_what, answers, message) => {
    await expect(asked(answers)).rejects.toMatchObject({ code: 'Conflict', message });
  });
});

describe('what a reset will do', () => {
  const how = { node: 'till-5', steps, keepImages: false, deletesNode: true };
  const told = (part: Partial<typeof how>): readonly string[] =>
    resetPlan({ ...how, ...part }).parts.flatMap(({ changes }) => changes.map(({ what }) => what));

  it('is told in the order in which it is done', () => {
    expect(told({})).toEqual([
      'stop edge-lite.service',
      'stop all pods on this machine, and remove their volumes, logs and networks',
      'remove /etc/selvedge and everything in it',
      'restore net.ipv4.ip_forward',
      'remove the images that were pulled since the join',
      'delete Node till-5',
    ]);
  });

  it('leaves images and the Node where that is wanted', () => {
    expect(told({ keepImages: true, deletesNode: false }).filter((what) => /images|Node/.test(what))).toEqual(
      [],
    );
  });

  it('warns of what is lost', () => {
    expect(resetPlan(how).warnings).toEqual(['data in pod volumes on this machine is lost']);
    expect(resetPlan({ ...how, steps: [] }).warnings).toEqual([]);
  });
});

it('tells what a person has to do after it', () => {
  const warnings = ['the Node object still exists; to delete it:\n    kubectl delete node till-5'];
  const text = describeReset({
    outcome: 'reset',
    node: 'till-5',
    nodeObject: 'left',
    totalMs: 2_140,
    warnings,
  });
  expect(text.split('\n')).toEqual([
    'till-5 is a bare machine again after 2.1 s',
    'the Node object still exists; to delete it:',
    '    kubectl delete node till-5',
  ]);
});
