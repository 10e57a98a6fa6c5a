import { expect, it } from 'vitest';
import { systemClock } from './clock.ts';
import { createTaskGroup } from './task-group.ts';

it('reports failures with the name of the task, and goes on', async () => {
  const failures: string[] = [];
  const group = createTaskGroup(
    { name: 'g' },
    { onFailure: (error, task) => failures.push(`${task}: ${String(error)}`) },
  );
  group.run('good', async () => undefined);
  group.run('bad', async () => {
    throw new TypeError('x');
  });
  await group.idle();
  expect(failures).toEqual(['bad: TypeError: x']);
  expect(group.size).toBe(0);
});

it('aborts and awaits its tasks on stop, and does not call that a failure', async () => {
  const failures: unknown[] = [];
  const group = createTaskGroup({ name: 'g' }, { onFailure: (error) => failures.push(error) });
  let cleaned = false;
  group.run('sleeper', async (signal) => {
    try {
      await systemClock.sleep(60_000, signal);
    } finally {
      cleaned = true;
    }
  });
  await group.stop();
  expect([cleaned, failures]).toEqual([true, []]);
  group.run('late', async () => {
    throw new Error('never runs');
  });
  expect(group.size).toBe(0);
});

it('refuses one task more than its cap', async () => {
  const group = createTaskGroup({ name: 'g', maxTasks: 1 }, { onFailure: () => undefined });
  group.run('one', (signal) => systemClock.sleep(60_000, signal));
  expect(() => {
    group.run('two', async () => undefined);
  }).toThrow(/holds 1 tasks/);
  await group.stop();
});
