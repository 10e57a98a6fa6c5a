import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { edgeUnitDefinition } from '@selvedge/api';
import { type KubeClient, resources } from '@selvedge/kube';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PrivateControlPlane } from '../bed/control-plane/private-control-plane.ts';
import { connect, startControlPlane } from './kube-world.ts';
import { selvedgeProgram } from './selvedge.ts';
import { type Terminal, openTerminal } from './terminal.ts';

/** What a person sees of `selvedge`: a real terminal, wide and narrow, and nobody in the cloud who settles anything. */

const signal = new AbortController().signal;
const stack = new AsyncDisposableStack();
let controlPlane: PrivateControlPlane;
let admin: KubeClient;
let folder: string;

beforeAll(async () => {
  controlPlane = await startControlPlane();
  stack.defer(() => controlPlane.stop());
  ({ client: admin } = await connect(controlPlane.kubeconfig));
  stack.defer(() => admin.close());
  folder = await mkdtemp(join(tmpdir(), 'selvedge-terminal-'));
  stack.defer(() => rm(folder, { recursive: true }));
  await admin.create(resources.customResourceDefinitions, edgeUnitDefinition as never, { signal });
  await admin.create(resources.nodes, { metadata: { name: 'till-1' } }, { signal });
  const nobody = { server: 'https://127.0.0.1:1' };
  const config = {
    clusters: [{ name: 'c', cluster: nobody }],
    users: [],
    contexts: [{ name: 'c', context: { cluster: 'c' } }],
    'current-context': 'c',
  };
  await writeFile(join(folder, 'nobody'), JSON.stringify(config));
  // As short as it is for people.
  await writeFile(join(folder, 'selvedge'), `#!/bin/sh\nexec ${process.execPath} ${selvedgeProgram} "$@"\n`, {
    mode: 0o755,
  });
});
afterAll(() => stack.disposeAsync());

async function open(columns: number, rows = 40): Promise<Terminal> {
  const env = {
    PATH: `${folder}:${process.env['PATH'] ?? ''}`,
    KUBECONFIG: controlPlane.kubeconfig,
    NO_COLOR: '1',
  };
  return openTerminal({ columns, rows, env });
}

const linesOf = (screen: string): readonly string[] => screen.split('\n');

test('the plan is shown, then asked about, then done, then told', async () => {
  await using terminal = await open(100);
  await terminal.type('selvedge token create');
  const asked = await terminal.shows(/any new node\?/);
  expect(asked).toMatch(/^✓ inspect the cluster {2}\d/m);
  expect(asked).toMatch(
    /^cluster\n {2}• let tokens of selvedge request certificates: ClusterRoleBinding selvedge:/m,
  );
  expect(asked).toMatch(/^warning: anyone who gets hold of this token/m);
  await terminal.press('y');
  const done = await terminal.shows(/--ca-hash sha256:[0-9a-f]{64}/);
  expect(done).toMatch(/^✓ test the token {2}\d.* s$/m);
  expect(done.replaceAll('\n', ' ')).toMatch(/--yes <<< [a-z0-9]{6}\.[a-z0-9]{16}/);
  expect(done).toMatch(/^Valid until 20.*Z, for any new node\./m);
  await terminal.type('clear; selvedge token create --node till-9; echo "code $?"');
  await terminal.shows(/node till-9 only\?/);
  await terminal.press('Enter');
  expect(await terminal.shows(/code 1/)).toContain('no changes made');
});

describe('on 40 columns', () => {
  test('a plan and a result are broken between words, what is to be typed is not', async () => {
    await using terminal = await open(40, 60);
    await terminal.type('selvedge unit create shop-1 --nodes till-1,till-2,till-3,till-4,till-5');
    const asked = await terminal.shows(/create unit shop-1\?/);
    expect(asked).toMatch(/^ {2}• create unit shop-1 with till-1,\n {4}till-2, till-3, till-4, till-5$/m);
    await terminal.press('y');
    await terminal.shows(/Unit shop-1 created\./);
    await terminal.type('clear; selvedge unit list');
    expect(await terminal.shows(/AUTONOMY/)).toMatch(/^NAME {7}shop-1\nMEMBERS {4}0\nCONNECTED {2}0$/m);
    await terminal.type('clear; selvedge token create --node till-9 --unit shop-1 --yes');
    const made = await terminal.shows(/^ +--yes <<< \S+$/m);
    // tmux breaks the line, not the program: who copies it copies one line.
    expect(made.replaceAll(/(?<=sha256:[0-9a-f\n]*)\n(?=[0-9a-f])/g, '')).toMatch(
      /--ca-hash sha256:[0-9a-f]{64} \\$/m,
    );
    expect(Math.max(...linesOf(made).map((line) => line.length))).toBeLessThanOrEqual(40);
  });
});

test('an error says what, why and what next', async () => {
  await using terminal = await open(60);
  await terminal.type(`selvedge unit list --kubeconfig ${folder}/nobody; echo "code $?"`);
  const told = await terminal.shows(/code 1/);
  expect(told).toMatch(/^selvedge: /m);
  expect(told).toMatch(/^ {2}why {3}.*ECONNREFUSED/m);
  expect(told).toMatch(/^ {2}next {2}check that it is reachable/m);
});

test('what is waited for is seen in its place, and Ctrl-C ends it in order', async () => {
  await using terminal = await open(72);
  await terminal.type('selvedge unit create from --nodes till-8 --yes && selvedge unit create to --yes');
  await terminal.shows(/Unit to created\./);
  await terminal.type('clear; selvedge unit move till-8 to --yes; echo "code $?"');
  const first = await terminal.shows(
    /^. wait for the units to settle {2}\d[^u]* s {2}unit to is not settled/m,
  );
  expect(first).toMatch(/^✓ remove member till-8 {2}\d/m);
  await terminal.resize(40, 30);
  const narrow = await terminal.shows(/^. wait for the units.*…? {2}[1-9]/m);
  expect(linesOf(narrow).filter((line) => line.includes('wait for the units'))).toHaveLength(1);
  await terminal.press('C-c');
  const stopped = await terminal.shows(/code 130/);
  expect(stopped.replaceAll(/\n */g, ' ')).toContain('stopped; run the same command again');
  expect(stopped).toMatch(/^■ wait for the units/m);
});
