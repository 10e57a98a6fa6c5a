import { type Checked, type Fault, loadConfigFile, mismatch, unknownField } from '@selvedge/kube';
import * as v from 'valibot';
import { type Config, configSchema } from './schema.ts';

function faultOf(issue: v.BaseIssue<unknown>): Fault {
  const path = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
  const isUnknown = issue.type === 'strict_object' && issue.expected === 'never';
  return { path, problem: isUnknown ? unknownField : mismatch(issue.message, issue.input) };
}

/** Holds a document against the schema, which fills in the defaults. */
export function checkConfig(document: unknown): Checked<Config> {
  const result = v.safeParse(configSchema, document);
  return result.success
    ? { kind: 'valid', value: result.output }
    : { kind: 'faulty', faults: result.issues.map(faultOf) };
}

/** Reads and checks a config file. Throws `Invalid`, also when it cannot be read. */
export function loadConfig(file: string): Promise<Config> {
  return loadConfigFile(file, checkConfig);
}
