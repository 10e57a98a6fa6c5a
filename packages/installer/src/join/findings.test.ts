import { describe, expect, it } from 'vitest';
import type { NodeFacts } from '../facts/index.ts';
import type { ClusterSight } from './examine-cluster.ts';
import { joinFindings } from './findings.ts';
import type { Sight } from './rule.ts';
import type { RuntimeFacts } from './runtime-facts.ts';
import { testFacts, testOptions, testRuntime, testSight } from './testing.ts';

const unit = {
  activeState: 'active',
  fileState: 'enabled',
  path: '',
  dropIns: [],
  environmentFiles: [],
  text: '',
  mainPid: 1,
};
const facts = (part: Partial<NodeFacts>): Sight => ({ ...testSight, facts: { ...testFacts, ...part } });
const runtime = (part: Partial<RuntimeFacts>): Sight => ({
  ...testSight,
  runtime: { ...testRuntime, ...part },
});
const cluster = (part: ClusterSight): Sight => ({ ...testSight, cluster: part });
const withoutContainerd = (): RuntimeFacts => {
  const { containerd: _gone, manager: _nor, ...rest } = testRuntime;
  return rest;
};
/** With a containerd that serves no CRI, and this file. */
function withCri(file: string | undefined): Sight {
  const { containerd } = testRuntime;
  if (containerd === undefined) throw new TypeError('the test machine has a containerd');
  const config = { ...containerd.config, servesCri: false };
  return runtime({ containerd: { ...containerd, config, ...(file === undefined ? {} : { file }) } });
}
const idsOf = (sight: Sight, options = testOptions): readonly string[] =>
  joinFindings(sight, options).map(({ severity, id }) => `${severity} ${id}`);

describe('a machine that is to join', () => {
  it('may have nothing wrong', () => {
    expect(joinFindings(testSight, testOptions)).toEqual([]);
  });

  it.each<readonly [string, Sight]>([
    ['error join-root', runtime({ uid: 1000 })],
    ['error join-systemd', facts({ init: 'busybox' })],
    ['error join-architecture', facts({ arch: 'riscv64' })],
    ['warning join-memory', facts({ memoryBytes: 2 ** 27 })],
    ['error join-other-agent', facts({ units: { 'kubelet.service': unit } })],
    ['error join-other-agent', facts({ selvedge: { journal: false, otherAgents: ['yurthub'] } })],
    ['error join-left', runtime({ full: ['/var/lib/selvedge'] })],
    ['error join-ports', facts({ ports: [{ address: '::', port: 10_250 }] })],
    ['error join-disk', facts({ disks: [{ path: '/var/lib', availableBytes: 2 ** 28 }] })],
    ['warning join-disk', facts({ disks: [{ path: '/var/lib', availableBytes: 2 ** 31 }] })],
    ['error join-reach', runtime({ reaches: false })],
    ['warning join-dns', cluster({ aheadMs: 0 })],
    ['error join-clock', { ...testSight, aheadMs: -3_600_000 }],
    ['warning join-clock', { ...testSight, aheadMs: 60_000 }],
    ['error join-runtime', { ...testSight, runtime: withoutContainerd() }],
    ['error join-cri', withCri(undefined)],
  ])('is told of %s', (finding, sight) => {
    expect(idsOf(sight)).toEqual([finding]);
  });

  it('is not told of a CRI that can be switched on', () => {
    expect(idsOf(withCri('disabled_plugins = ["cri"]'))).toEqual([]);
    expect(idsOf(withCri('imports = ["/etc/a"]'))).toEqual(['error join-cri']);
  });

  it('is not told of what can be installed', () => {
    const sight = { ...testSight, runtime: { ...withoutContainerd(), manager: 'apt' as const } };
    expect(idsOf(sight)).toEqual([]);
  });

  it('is compared with the clock of the API server, not with the one here', () => {
    const both = { ...cluster({ aheadMs: -7_200_000, ...testSight.cluster }), aheadMs: -7_200_000 };
    expect(idsOf({ ...both, cluster: { ...testSight.cluster, aheadMs: -7_200_000 } })).toEqual([]);
  });

  it('is told all at once, the errors first, each with how to fix it', () => {
    const { tunnelServers: _none, ...options } = testOptions;
    const found = joinFindings(facts({ init: 'busybox', arch: 'mips' }), options);
    expect(found.map(({ severity }) => severity)).toEqual(['error', 'error', 'warning']);
    expect(found.every(({ where, fix }) => where === 'node till-5' && fix !== '')).toBe(true);
  });
});
