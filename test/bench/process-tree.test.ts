import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { useOfTree } from './process-tree.ts';

it('adds up a process and its children, and nobody else', async () => {
  const script =
    'const { spawn } = require("child_process"); spawn("sleep", ["60"]).on("spawn", () => console.log("up"))';
  const parent = spawn(process.execPath, ['-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  try {
    await once(parent.stdout, 'data');
    const tree = await useOfTree(parent.pid ?? 0);
    const mine = await useOfTree(process.pid);
    expect(tree.anonymousMb).toBeGreaterThan(1);
    expect(tree.residentMb).toBeGreaterThan(tree.anonymousMb);
    expect(mine.residentMb).toBeGreaterThan(tree.residentMb);
  } finally {
    process.kill(-(parent.pid ?? 0), 'SIGKILL');
    await once(parent, 'exit');
  }
});

it('counts nothing for a process that is gone', async () => {
  expect(await useOfTree(2 ** 22 + 1)).toEqual({ residentMb: 0, anonymousMb: 0, cpuTicks: 0 });
});
