import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BootPlan, BootStep } from './boot-plan.ts';

/**
 * Carries out a boot plan (its JSON is the one argument) and becomes the plan's program. Runs in namespaces made for it
 * and does one thing after another: nothing else is going on in this process.
 */
function run(argv: readonly string[]): void {
  const [program = '', ...args] = argv;
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${argv.join(' ')} failed with exit code ${status}`);
}

function mount(argv: readonly string[], table: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'selvedge-boot-'));
  const file = join(folder, 'fstab');
  try {
    writeFileSync(file, table);
    run([...argv, file]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function carryOut(step: BootStep): void {
  switch (step.kind) {
    case 'join':
      // 0 is whoever writes. Source: Documentation/admin-guide/cgroup-v1/cgroups.rst.
      writeFileSync(join(step.folder, 'cgroup.procs'), '0');
      return;
    case 'mount':
      mount(step.argv, step.table);
      return;
    case 'run':
      run(step.argv);
      return;
    case 'file':
      writeFileSync(step.path, step.content);
      return;
    case 'link':
      symlinkSync(step.target, step.path);
  }
}

function boot(text: string): void {
  const plan = JSON.parse(text) as BootPlan;
  for (const step of plan.steps) carryOut(step);
  const { argv, env } = plan.exec;
  process.execve?.(argv[0] ?? '', argv, env);
  throw new Error('this Node cannot become another program');
}

boot(process.argv[2] ?? '');
