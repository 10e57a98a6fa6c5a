import { expect, it } from 'vitest';
import { type PlanOptions, plan } from './plan.ts';

const plain: PlanOptions = { unit: false, long: false, filters: [] };

it('runs everything but the long tests', () => {
  expect(plan(plain)).toEqual({
    gates: true,
    generated: true,
    machine: true,
    projects: ['unit', 'api', 'integration', 'e2e'],
  });
});

it('runs the long tests when asked to', () => {
  expect(plan({ ...plain, long: true }).projects).toEqual(['unit', 'api', 'integration', 'e2e', 'long']);
});

it('needs no machine for gates and unit tests', () => {
  expect(plan({ ...plain, unit: true })).toEqual({
    gates: true,
    generated: false,
    machine: false,
    projects: ['unit'],
  });
});

it('runs only unit tests on another Node', () => {
  expect(plan({ ...plain, node: '26' })).toEqual({
    gates: false,
    generated: false,
    machine: false,
    projects: ['unit'],
  });
});

it('runs only the projects that the filters name', () => {
  const { projects, gates, machine } = plan({ ...plain, filters: ['test/e2e/join', 'packages/kit'] });
  expect(projects).toEqual(['unit', 'e2e']);
  expect(gates).toBe(false);
  expect(machine).toBe(true);
  expect(plan({ ...plain, filters: ['test/e2e/crash.long.test.ts'] }).projects).toEqual(['long']);
  expect(plan({ ...plain, filters: ['packages/kit'] }).machine).toBe(false);
  expect(plan({ ...plain, filters: ['test/integration/hub-reads'] }).projects).toEqual(['api']);
  expect(plan({ ...plain, filters: ['test/integration/manager-bans.test.ts'] }).projects).toEqual(['api']);
  expect(plan({ ...plain, filters: ['test/integration/volumes.test.ts'] }).projects).toEqual(['integration']);
  expect(plan({ ...plain, filters: ['test/integration'] }).projects).toEqual(['api', 'integration']);
});
