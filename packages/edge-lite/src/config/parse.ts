import { SelvedgeError } from '@selvedge/kit';
import * as v from 'valibot';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { type FieldPath, fieldName, lineOf } from './position.ts';
import { type Config, configSchema } from './schema.ts';

/** One thing that is wrong with a config file. */
export interface Finding {
  /** From 1. */
  readonly line: number;
  /** `modules.pods.maxPods`; empty when it is about the whole file. */
  readonly field: string;
  readonly problem: string;
}

/** How much of a wrong value is repeated to its writer. */
const maxShown = 40;

/** A wrong value as its writer knows it, but never one of a field that might hold something confidential. */
function shown(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(value);
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}

function problemOf(issue: v.BaseIssue<unknown>): string {
  if (issue.type === 'strict_object' && issue.expected === 'never') return 'unknown field';
  if (issue.input === undefined) return 'required, but missing';
  return `expected ${issue.message}, found ${shown(issue.input)}`;
}

function findingOf(issue: v.BaseIssue<unknown>, document: Document, lines: LineCounter): Finding {
  const path: FieldPath = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
  return { line: lineOf(document, lines, path), field: fieldName(path), problem: problemOf(issue) };
}

function refuse(file: string, findings: readonly Finding[]): never {
  const ordered = findings.toSorted((a, b) => a.line - b.line);
  const text = ordered.map(({ line, field, problem }) => {
    return `line ${line}: ${field === '' ? '' : `${field}: `}${problem}`;
  });
  throw new SelvedgeError(`config ${file} is not valid: ${text.join('; ')}`, {
    code: 'Invalid',
    details: { findings: ordered },
  });
}

/** The config in `text`, with its defaults. Throws `Invalid` with every finding in `details.findings`. */
export function parseConfig(file: string, text: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    refuse(
      file,
      document.errors.map(({ pos, message }) => ({
        line: lines.linePos(pos[0]).line,
        field: '',
        problem: message.split(' at line')[0] ?? message,
      })),
    );
  }
  const result = v.safeParse(configSchema, document.toJS({ maxAliasCount: 10 }));
  if (result.success) return result.output;
  return refuse(
    file,
    result.issues.map((issue) => findingOf(issue, document, lines)),
  );
}
