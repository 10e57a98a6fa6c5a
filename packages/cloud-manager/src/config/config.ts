import { type Checked, type Fault, loadConfigFile, mismatch, unknownField } from '@selvedge/kube';
import type { z } from 'zod';
import { type Environment, expand } from './expand.ts';
import { type Config, configSchema } from './schema.ts';

const pathOf = (path: readonly PropertyKey[]): (string | number)[] =>
  path.map((key) => (typeof key === 'number' ? key : String(key)));

function faultsOf(issue: z.core.$ZodIssue): readonly Fault[] {
  if (issue.code !== 'unrecognized_keys') {
    return [{ path: pathOf(issue.path), problem: mismatch(issue.message, issue.input) }];
  }
  return issue.keys.map((key) => ({ path: [...pathOf(issue.path), key], problem: unknownField }));
}

/** Holds a document against the schema, which fills in the defaults. */
export function checkConfig(document: unknown): Checked<Config> {
  const result = configSchema.safeParse(document, { reportInput: true });
  return result.success
    ? { kind: 'valid', value: result.data }
    : { kind: 'faulty', faults: result.error.issues.flatMap(faultsOf) };
}

/** Reads and checks a config file; see `expand`. Throws `Invalid`, also when it cannot be read. */
export function loadConfig(file: string, environment: Environment = {}): Promise<Config> {
  return loadConfigFile(file, (document) => checkConfig(expand(document, environment)));
}
