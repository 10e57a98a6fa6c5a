import { readFile } from 'node:fs/promises';
import { SelvedgeError, messageOf } from '@selvedge/kit';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { type FieldPath, fieldName, lineOf } from './position.ts';

/** One thing that is wrong with a config file. */
export interface Finding {
  /** From 1. */
  readonly line: number;
  /** `modules.pods.maxPods`; empty when it is about the whole file. */
  readonly field: string;
  readonly problem: string;
}

/** One thing that a schema does not like about a document. */
export interface Fault {
  readonly path: FieldPath;
  readonly problem: string;
}

export type Checked<T> =
  | { readonly kind: 'valid'; readonly value: T }
  | { readonly kind: 'faulty'; readonly faults: readonly Fault[] };

/** Holds a parsed document against a schema, which fills in what was left out. Pure. */
export type ConfigCheck<T> = (document: unknown) => Checked<T>;

/** How much of a wrong value is repeated to its writer. */
const maxShown = 40;

/** A wrong value as its writer knows it. */
function shown(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = JSON.stringify(value);
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}

/** The words for a value, undefined if there is none, where `expected` belongs. */
export function mismatch(expected: string, value: unknown): string {
  return value === undefined ? 'required, but missing' : `expected ${expected}, found ${shown(value)}`;
}

/** The words for a field that the schema does not have. */
export const unknownField = 'unknown field';

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

/** An alias without its anchor is seen only now, and so is one that is used to make very much of little. */
function valueOf(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 10 });
  } catch (error) {
    return refuse(file, [{ line: 1, field: '', problem: messageOf(error) }]);
  }
}

/**
 * The config in `text`, YAML, as `check` leaves it. Throws `Invalid` with every finding in `details.findings`. `file` is
 * for people.
 */
export function parseConfigFile<T>(file: string, text: string, check: ConfigCheck<T>): T {
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
  const result = check(valueOf(document, file));
  if (result.kind === 'valid') return result.value;
  return refuse(
    file,
    result.faults.map(({ path, problem }) => ({
      line: lineOf(document, lines, path),
      field: fieldName(path),
      problem,
    })),
  );
}

/** Reads and checks a config file. Throws `Invalid`, also when it cannot be read. */
export async function loadConfigFile<T>(file: string, check: ConfigCheck<T>): Promise<T> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new SelvedgeError(`cannot read the config ${file}`, { code: 'Invalid', cause });
  });
  return parseConfigFile(file, text, check);
}
