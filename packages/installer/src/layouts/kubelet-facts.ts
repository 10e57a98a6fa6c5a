import { dirname } from 'node:path';
import { X509Certificate } from 'node:crypto';
import {
  type ClusterAccess,
  isList,
  isObject,
  memberOf,
  parseKubeconfig,
  userOfCertificate,
} from '@selvedge/kube';
import { hasCode } from '@selvedge/kit';
import { parse } from 'yaml';
import { type NodeFacts, flagOf } from '../facts/index.ts';
import type { CopySource } from '../steps/index.ts';

type TextOrFile = NonNullable<ClusterAccess['credentials']['certificate']>;

export interface Kubeconfig extends ClusterAccess {
  readonly path: string;
}

/** A kubeconfig that is there and can be understood, or why not. */
export function readKubeconfig(facts: NodeFacts, path: string): Kubeconfig | string {
  const text = facts.files[path]?.text;
  if (text === undefined) return `${path} does not exist`;
  try {
    return { path, ...parseKubeconfig(text, { folder: dirname(path) }) };
  } catch (error) {
    if (hasCode(error, 'Invalid', 'Unsupported')) return `${path}: ${error.message}`;
    throw error;
  }
}

/** The program's arguments, of the process that its unit runs if it does. */
export function argumentsOf(facts: NodeFacts, program: string, unit: string): readonly string[] {
  const running = facts.processes.filter((one) => one.program === program);
  const main = facts.units[unit]?.mainPid;
  return (running.find(({ pid }) => pid === main) ?? running[0])?.argv ?? [];
}

/** The value of a flag: of the process, else as the unit has it. */
export function flagIn(
  facts: NodeFacts,
  { program, unit }: { readonly program: string; readonly unit: string },
  flag: string,
): string | undefined {
  const inUnit = new RegExp(`--${flag}[= ]([^\\s"'\\\\]+)`).exec(facts.units[unit]?.text ?? '')?.[1];
  return flagOf(argumentsOf(facts, program, unit), flag) ?? inUnit;
}

/** What a YAML text has at a field, by default all of it; undefined if that is not there, or the text cannot be read. */
export function valueIn(text: string | undefined, ...keys: readonly string[]): unknown {
  if (text === undefined) return undefined;
  try {
    return keys.reduce<unknown>((at, key) => (isObject(at) ? memberOf(at, key) : undefined), parse(text));
  } catch {
    return undefined;
  }
}

/** A field of a YAML file, if it is there and a string. */
export function stringIn(facts: NodeFacts, path: string, ...keys: readonly string[]): string | undefined {
  const value = valueIn(facts.files[path]?.text, ...keys);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The strings in a list in a YAML file. */
export function stringsIn(facts: NodeFacts, path: string, ...keys: readonly string[]): readonly string[] {
  const value = valueIn(facts.files[path]?.text, ...keys);
  return isList(value) ? value.filter((one) => typeof one === 'string') : [];
}

/** What it says: the text, or that of the file. */
export function contentOf(facts: NodeFacts, source: TextOrFile | undefined): string | undefined {
  if (source === undefined) return undefined;
  return 'text' in source ? source.text : facts.files[source.file]?.text;
}

/** Where the client's certificate and key are; undefined without them. */
export function identityOf({ path, credentials }: Kubeconfig): readonly CopySource[] | undefined {
  const { certificate, privateKey } = credentials;
  if (certificate === undefined || privateKey === undefined) return undefined;
  const of = (one: TextOrFile, field: CopySource['field'] & string): CopySource =>
    'file' in one ? { path: one.file } : { path, field };
  const [first, second] = [of(certificate, 'client-certificate-data'), of(privateKey, 'client-key-data')];
  return first.path === second.path && first.field === undefined ? [first] : [first, second];
}

/** The user in a client certificate. */
export function userOf(facts: NodeFacts, { credentials }: Kubeconfig): string | undefined {
  const pem = contentOf(facts, credentials.certificate);
  if (pem === undefined) return undefined;
  try {
    return userOfCertificate(new X509Certificate(pem)).username;
  } catch {
    return undefined;
  }
}
