import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { SelvedgeError } from '@selvedge/kit';
import { parseDocument } from 'yaml';
import type { CredentialFiles, TextOrFile } from './credentials.ts';

/** Uses of one anchor; kubeconfigs have none. */
const maxAliasCount = 10;

/** What a kubeconfig says about one context. */
export interface ClusterAccess {
  readonly server: string;
  readonly serverName?: string | undefined;
  /** For `fileCredentials`. */
  readonly credentials: CredentialFiles;
  /** Default `default`. */
  readonly namespace: string;
  /** Makes the user's credentials, which are not in `credentials` then. Only if it was asked for. */
  readonly exec?: ExecPlugin | undefined;
}

/** A program that makes credentials. Source: kubernetes.io "client-go credential plugins". */
export interface ExecPlugin {
  /** `client.authentication.k8s.io/v1`. */
  readonly apiVersion: string;
  /** A path, or a name that is looked for in $PATH. */
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where it is to be had. */
  readonly installHint?: string | undefined;
}

export interface KubeconfigOptions {
  /** Relative paths inside the file start here: the folder that it lies in. */
  readonly folder: string;
  /** Default: the file's `current-context`. */
  readonly context?: string | undefined;
  /** What becomes of a program that makes credentials. Default `refuse`. */
  readonly exec?: 'refuse' | 'give' | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** Fields that would change what the client does, and which it does not do. */
const unsupported: Readonly<Record<'cluster' | 'user', readonly string[]>> = {
  cluster: ['insecure-skip-tls-verify', 'proxy-url'],
  user: ['exec', 'auth-provider', 'username', 'password', 'as', 'as-uid', 'as-groups', 'as-user-extra'],
};

function invalid(why: string): SelvedgeError {
  return new SelvedgeError(`kubeconfig: ${why}`, { code: 'Invalid' });
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function text(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw invalid(`${name} is not a string`);
  return value;
}

/** The entry of `clusters`, `contexts` or `users` with that name. */
function entry(file: Fields, kind: 'cluster' | 'context' | 'user', name: string | undefined): Fields {
  const list = file[`${kind}s`];
  const found = (Array.isArray(list) ? list : []).map(fieldsOf).find((one) => one['name'] === name);
  if (name === undefined || found === undefined)
    throw invalid(`there is no ${kind} ${JSON.stringify(name ?? '')}`);
  return fieldsOf(found[kind]);
}

function stringsOf(value: unknown, name: string): readonly string[] {
  const list = value ?? [];
  if (Array.isArray(list) && list.every((one) => typeof one === 'string')) return list;
  throw invalid(`${name} is not a list of strings`);
}

/** A command with a slash is looked for beside the file. */
function execOf(user: Fields, folder: string): ExecPlugin | undefined {
  if (user['exec'] === undefined) return undefined;
  const fields = fieldsOf(user['exec']);
  const [command, apiVersion] = [text(fields, 'command'), text(fields, 'apiVersion')];
  if (command === undefined || apiVersion === undefined) throw invalid('exec needs command and apiVersion');
  const env = Array.isArray(fields['env']) ? fields['env'].map(fieldsOf) : [];
  return {
    apiVersion,
    command: command.includes('/') ? resolve(folder, command) : command,
    args: stringsOf(fields['args'], 'exec.args'),
    env: Object.fromEntries(env.map((one) => [text(one, 'name') ?? '', text(one, 'value') ?? ''])),
    installHint: text(fields, 'installHint'),
  };
}

function refuseUnsupported(kind: 'cluster' | 'user', fields: Fields, but?: string): void {
  const used = unsupported[kind].find(
    (name) => name !== but && fields[name] !== undefined && fields[name] !== false,
  );
  if (used === undefined) return;
  throw new SelvedgeError(`kubeconfig: ${kind} field ${used} is not supported`, {
    code: 'Unsupported',
    hint: 'use a client certificate, a token or a token file, and a certificate authority',
  });
}

/** Inline data goes before the file, as kubectl has it. */
function dataOrFile(fields: Fields, name: string, folder: string): TextOrFile | undefined {
  const data = text(fields, `${name}-data`);
  if (data !== undefined) return { text: Buffer.from(data, 'base64').toString('utf8') };
  const file = text(fields, name);
  return file === undefined ? undefined : { file: resolve(folder, file) };
}

function tokenOf(user: Fields, folder: string): TextOrFile | undefined {
  const file = text(user, 'tokenFile');
  if (file !== undefined) return { file: resolve(folder, file) };
  const token = text(user, 'token');
  return token === undefined ? undefined : { text: token };
}

function credentialsOf(cluster: Fields, user: Fields, folder: string): CredentialFiles {
  const certificate = dataOrFile(user, 'client-certificate', folder);
  const privateKey = dataOrFile(user, 'client-key', folder);
  if ((certificate === undefined) !== (privateKey === undefined)) {
    throw invalid('client-certificate and client-key come together');
  }
  const certificateAuthority = dataOrFile(cluster, 'certificate-authority', folder);
  return { certificateAuthority, certificate, privateKey, bearerToken: tokenOf(user, folder) };
}

/** Aliases are resolved last: one without its anchor is seen only then. */
function readYaml(content: string): unknown {
  try {
    const document = parseDocument(content);
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS({ maxAliasCount });
  } catch (cause) {
    throw new SelvedgeError('kubeconfig is not YAML', { code: 'Invalid', cause });
  }
}

/**
 * Reads the text of a kubeconfig. Pure. Throws `Invalid`, or `Unsupported` for exec plugins that nobody asked for, proxies, passwords,
 * impersonation and unverified TLS. Source: kubernetes.io "kubeconfig (v1)".
 */
export function parseKubeconfig(content: string, options: KubeconfigOptions): ClusterAccess {
  const file = fieldsOf(readYaml(content));
  const context = entry(file, 'context', options.context ?? text(file, 'current-context'));
  const cluster = entry(file, 'cluster', text(context, 'cluster'));
  const userName = text(context, 'user');
  const user = userName === undefined ? {} : entry(file, 'user', userName);
  refuseUnsupported('cluster', cluster);
  refuseUnsupported('user', user, options.exec === 'give' ? 'exec' : undefined);
  const server = text(cluster, 'server');
  if (server === undefined) throw invalid('the cluster has no server');
  return {
    server,
    serverName: text(cluster, 'tls-server-name'),
    credentials: credentialsOf(cluster, user, options.folder),
    namespace: text(context, 'namespace') ?? 'default',
    exec: execOf(user, options.folder),
  };
}

/** Reads a kubeconfig file. Throws as `parseKubeconfig`, and `NotFound` if it cannot be read. */
export async function loadKubeconfig(
  path: string,
  options: Omit<KubeconfigOptions, 'folder'> = {},
): Promise<ClusterAccess> {
  let content: string;
  try {
    content = await readFile(path, 'utf8');
  } catch (cause) {
    throw new SelvedgeError(`kubeconfig ${path} cannot be read`, { code: 'NotFound', cause });
  }
  return parseKubeconfig(content, { folder: dirname(resolve(path)), ...options });
}
