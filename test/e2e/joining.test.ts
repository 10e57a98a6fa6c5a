import { X509Certificate, createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { resources } from '@selvedge/kube';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runEdgeLite } from './support/edge-lite.ts';
import { useSite } from './support/site.ts';

const site = useSite();
let folder: string;
let caHash: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'selvedge-joining-'));
  const ca = await readFile(join(dirname(site.bed.kubeconfig), 'pki/ca.crt'));
  const spki = new X509Certificate(ca).publicKey.export({ type: 'spki', format: 'der' });
  caHash = `sha256:${createHash('sha256').update(spki).digest('hex')}`;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Attempt {
  readonly nodeName: string;
  /** As it stands in the token file. */
  readonly token: string;
  readonly caHash?: string;
  /** Added to the end of the configuration. */
  readonly more?: string;
}

interface Refusal {
  readonly exitCode: number;
  /** What edge-lite said. */
  readonly said: string;
}

/** Runs edge-lite in a folder of its own until it gives up. */
async function attempt(options: Attempt): Promise<Refusal> {
  const root = join(folder, options.nodeName);
  const tokenFile = join(folder, `${options.nodeName}.token`);
  const configFile = join(folder, `${options.nodeName}.yaml`);
  await writeFile(tokenFile, `${options.token}\n`, { mode: 0o600 });
  const lines = [
    'apiVersion: edge-lite.selvedge.io/v1alpha1',
    'kind: Config',
    `nodeName: ${options.nodeName}`,
    `root: ${root}`,
    `server: { urls: ['${site.bed.server}'], caHash: '${options.caHash ?? caHash}', tokenFile: ${tokenFile} }`,
    `runtime: { endpoint: 'unix://${root}/nobody.sock' }`,
    options.more ?? '',
  ];
  await writeFile(configFile, lines.join('\n'));
  const { exitCode, stderr } = await runEdgeLite(configFile, site.signal);
  return { exitCode, said: stderr };
}

/** A token that nodes may join with by now: its signature is in `cluster-info`. */
async function goodToken(): Promise<string> {
  const { id, secret } = await site.bed.createBootstrapToken();
  await site.until({ what: `the signature of token ${id}` }, () => isSigned(id));
  return `${id}.${secret}`;
}

async function isSigned(id: string): Promise<boolean> {
  const at = { namespace: 'kube-public', name: 'cluster-info' };
  const { data } = await site.client.get(resources.configMaps, at, { signal: site.signal });
  return data?.[`jws-kubeconfig-${id}`] !== undefined;
}

async function revokedToken(): Promise<string> {
  const token = await goodToken();
  const id = token.slice(0, 6);
  const at = { namespace: 'kube-system', name: `bootstrap-token-${id}` };
  await site.client.delete(resources.secrets, at, { signal: site.signal });
  await site.until({ what: `no signature of token ${id}` }, async () => !(await isSigned(id)));
  return token;
}

async function expiredToken(): Promise<string> {
  const { id, secret } = await site.bed.createBootstrapToken({ lifetimeMs: -60_000 });
  return `${id}.${secret}`;
}

const otherSecret = async (): Promise<string> => `${(await goodToken()).slice(0, 7)}${'0'.repeat(16)}`;

describe.concurrent('edge-lite gives up with exit code 3', () => {
  it.each([
    ['nobody-1', 'a token that nobody made', async () => 'abcdef.0123456789abcdef', 'does not know'],
    ['nobody-2', 'a token with a wrong secret', otherSecret, 'the token is mistyped'],
    ['nobody-3', 'an expired token', expiredToken, 'expired'],
    ['nobody-4', 'a revoked token', revokedToken, 'revoked'],
    ['nobody-5', 'what is no token', async () => 'let-me-in-please', 'a bootstrap token is'],
  ])('as %s with %s', async (nodeName, _what, makeToken, words) => {
    const token = await makeToken();
    const { exitCode, said } = await attempt({ nodeName, token });
    expect({ exitCode, said }).toEqual({ exitCode: 3, said: expect.stringContaining(words) });
    expect(said).not.toContain(token.slice(7));
    const nodes = await site.client.listAll(resources.nodes, { signal: site.signal });
    expect(nodes.items.map(({ metadata }) => metadata.name)).not.toContain(nodeName);
  });

  it('against a CA with another hash', async () => {
    const wrong = `sha256:${'0'.repeat(64)}`;
    const token = await goodToken();
    const { exitCode, said } = await attempt({ nodeName: 'nobody-6', token, caHash: wrong });
    expect({ exitCode, said }).toEqual({ exitCode: 3, said: expect.stringContaining(wrong) });
  });

  it('under the name of a node that is at work', async () => {
    const { exitCode, said } = await attempt({ nodeName: 'lite-1', token: await goodToken() });
    expect(exitCode).toBe(3);
    expect(said).toContain('a Node named lite-1 is at work in the cluster already');
    expect(said).toContain('kubectl delete node lite-1');
  });
});

describe('a configuration that is wrong', () => {
  it('ends edge-lite with exit code 2, the lines and the fields', async () => {
    const more = 'modules:\n  pods:\n    maxPods: many\n    colour: blue';
    const { exitCode, said } = await attempt({ nodeName: 'nobody-7', token: '', more });
    expect(exitCode).toBe(2);
    expect(said).toContain('line 9: modules.pods.maxPods: expected a whole number from 1 to 500');
    expect(said).toContain('line 10: modules.pods.colour: unknown field');
  });
});
