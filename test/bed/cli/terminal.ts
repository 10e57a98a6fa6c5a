import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { createInterface } from 'node:readline/promises';

/** The program's end of the person's terminal. stdout holds results only. */
export interface Terminal {
  print(line: string): void;
  /** True for a yes. Where nobody can be asked, the answer is yes. */
  confirm(question: string): Promise<boolean>;
  /** Hands the terminal to a program and resolves with its exit code. */
  handOver(argv: readonly [string, ...string[]]): Promise<number>;
}

export function processTerminal(): Terminal {
  return {
    print: (line) => process.stdout.write(`${line}\n`),
    async confirm(question) {
      if (!process.stdin.isTTY || !process.stderr.isTTY) return true;
      using readline = createInterface({ input: process.stdin, output: process.stderr });
      return /^y(?:es)?$/i.test((await readline.question(`${question} [y/N] `)).trim());
    },
    async handOver([program, ...args]) {
      const child = spawn(program, args, { stdio: 'inherit' });
      const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
      return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
    },
  };
}

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
