import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { createRoot } from './run.ts';
import type { Program } from './program.ts';

const page = await readFile(join(import.meta.dirname, '../../../../docs/reference/selvedge.md'), 'utf8');
const root = createRoot({ host: { version: '1.2.3' } } as Program);

const all = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(all)];
const nameOf = (command: Command): string =>
  command.parent === null || command.parent === root
    ? command.name()
    : `${command.parent.name()} ${command.name()}`;

const isNamed = (word: string): boolean => page.includes(`\`${word}\``);

it('the reference has every command', () => {
  const leaves = all(root).filter(({ commands }) => commands.length === 0);
  expect(leaves.map(nameOf).filter((name) => !isNamed(name))).toEqual([]);
});

it('the reference has every flag', () => {
  const flags = all(root).flatMap((command) =>
    command.options.flatMap(({ long }) => (long == null ? [] : [{ of: nameOf(command), long }])),
  );
  expect(flags.length).toBeGreaterThan(100);
  expect(flags.filter(({ long }) => long !== '--version' && !isNamed(long))).toEqual([]);
});
