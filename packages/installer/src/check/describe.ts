import type { CheckResult, Finding, Severity } from './types.ts';

const marks: Readonly<Record<Severity, string>> = { error: 'ERROR', warning: 'WARNING', info: 'INFO' };

function describeFinding({ severity, where, what, why, fix, id }: Finding): string {
  const lines = [`${marks[severity]}  ${where}: ${what}  [${id}]`, `  why:  ${why}`];
  return [...lines, ...(fix === '' ? [] : [`  fix:  ${fix}`])].join('\n');
}

const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

/** For the terminal: the findings, the worst first, and how many there are. */
export function describeCheck({ server, version, nodes, machines, counts, findings }: CheckResult): string {
  const looked = `checked ${server}${version === '' ? '' : ` (${version})`}, ${counted(nodes.length, 'node')}, ${counted(machines.length, 'machine')}`;
  const sums = `${counted(counts.error, 'error')}, ${counted(counts.warning, 'warning')}, ${counts.info} info`;
  return [...findings.map(describeFinding), `${looked}: ${sums}`].join('\n\n');
}
