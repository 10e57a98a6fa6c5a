import { glob, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureAssets } from '@selvedge/hack/setup';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfig } from '../../packages/cloud-manager/src/config/index.ts';
import { chartFolder, createHelm } from '../bed/helm.ts';
import { type Kubectl, createKubectl } from '../bed/kubectl.ts';
import { startControlPlane } from './kube-world.ts';

/** What people copy out of the documentation is taken by a real API server, and by our programs. */

const root = join(import.meta.dirname, '../..');
const crds = join(root, 'deploy/crds');

/** A block of a page that is to be copied. */
interface Block {
  readonly page: string;
  readonly language: string;
  readonly text: string;
}

/** Those inside of lists too, without their indent. */
function blocksIn(page: string, markdown: string): readonly Block[] {
  const fences = markdown.matchAll(/^( *)```(\w+)\n([^]*?)^\1```$/gm);
  return Array.from(fences, ([, indent = '', language = '', text = '']) => ({
    page,
    language,
    text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

const pages = await Array.fromAsync(glob('docs/{tasks,concepts,reference}/*.md', { cwd: root }));
const blocks = (
  await Promise.all(
    pages.toSorted().map(async (page) => blocksIn(page, await readFile(join(root, page), 'utf8'))),
  )
).flat();
const yaml = blocks.filter(({ language }) => language === 'yaml');
const shell = blocks.filter(({ language }) => language === 'sh');

interface Manifest {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: { readonly namespace?: string };
}

/** Also what is given to kubectl on the command line. */
const given = shell.flatMap(({ page, text }) =>
  Array.from(text.matchAll(/kubectl [^\n]*<<(\w+)\n([^]*?)\n\1$/gm), ([, , body = '']) => ({
    page,
    text: body,
  })),
);
const manifests = [...yaml, ...given].flatMap(({ page, text }) =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((one) => one?.apiVersion !== undefined && one.kind !== 'Config' && !Array.isArray(one))
    .map((one) => ({ page, manifest: one as Manifest })),
);

const stack = new AsyncDisposableStack();
let folder: string;
let kubeconfig: string;
let kubectl: Kubectl;

beforeAll(async () => {
  const { kubectl: program } = await ensureAssets({ binaries: ['kubectl'] });
  folder = await mkdtemp(join(tmpdir(), 'docs-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const controlPlane = await startControlPlane();
  stack.defer(() => controlPlane.stop());
  ({ kubeconfig } = controlPlane);
  kubectl = createKubectl({ program, kubeconfig });
  await kubectl(['apply', '--server-side', '--kustomize', crds]);
  await kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all']);
  const namespaces = new Set(manifests.flatMap(({ manifest }) => manifest.metadata?.namespace ?? []));
  for (const name of namespaces) await kubectl(['create', 'namespace', name]);
});
afterAll(() => stack.disposeAsync());

test('there are manifests for the main tasks', () => {
  const seen = new Set(manifests.map(({ page }) => page));
  expect(seen).toContain('docs/tasks/roll-out.md');
  expect(seen).toContain('docs/tasks/units.md');
  expect(seen).toContain('docs/tasks/traffic-scope.md');
});

test.each(manifests.map(({ page, manifest }) => [`${manifest.kind ?? ''} of ${page}`, manifest] as const))(
  'the %s is taken, and every field is known',
  async (_what, manifest) => {
    const args = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '--filename=-'];
    const { stdout } = await kubectl(args, { input: JSON.stringify(manifest) });
    expect(stdout).toContain('serverside-applied');
  },
);

describe('what changes something', () => {
  const tasks = ['units', 'roll-out', 'replace-a-node', 'move-a-node'];
  const changing = new Set(['patch', 'label', 'annotate']);

  /** The arguments of each kubectl that changes something; quotes hold what they hold in a shell. */
  const commandsOf = (task: string): readonly (readonly string[])[] =>
    shell
      .filter(({ page }) => page === `docs/tasks/${task}.md`)
      .flatMap(({ text }) => text.replaceAll('\\\n', ' ').split('\n'))
      .filter((line) => line.startsWith('kubectl '))
      .map((line) => Array.from(line.matchAll(/(?:'[^']*'|[^\s'])+/g), ([word]) => word.replaceAll("'", '')))
      .map(([, ...args]) => args)
      .filter((args) => args.some((word) => changing.has(word)));

  const apiVersion = 'selvedge.io/v1alpha1';
  const app = manifests.find(({ page }) => page === 'docs/tasks/roll-out.md')?.manifest;
  const items = [
    ...['till-7a', 'till-7b'].map((name) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } })),
    ...['shop-7', 'shop-8', 'shop-12'].map((name) => ({
      apiVersion,
      kind: 'EdgeUnit',
      metadata: { name },
      spec: { members: { names: [] } },
    })),
    { apiVersion, kind: 'EdgeNode', metadata: { name: 'till-7b' } },
    app,
  ];
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });

  beforeAll(() => kubectl(['create', '--filename=-'], { input }));
  // Each task begins anew.
  beforeEach(() => kubectl(['replace', '--filename=-'], { input }));

  test.each(tasks)('in %s is taken, one after the other', async (task) => {
    const commands = commandsOf(task);
    expect(commands.length).toBeGreaterThan(1);
    for (const args of commands) {
      const { stderr } = await kubectl(args);
      // Such as of a field that is not known.
      expect(stderr).toBe('');
    }
  });
});

test('configs of cloud-manager are ones', async () => {
  const configs = yaml.filter(({ text }) => text.includes('cloud-manager.selvedge.io/v1alpha1'));
  expect(configs.length).toBeGreaterThan(1);
  for (const { text } of configs) {
    const file = join(folder, 'config.yaml');
    await writeFile(file, text);
    expect(await loadConfig(file)).toMatchObject({ kind: 'Config' });
  }
});

test('values of the chart are ones', async () => {
  const { helm: program } = await ensureAssets({ binaries: ['helm'] });
  const helm = createHelm({ program, kubeconfig, folder });
  const [values, ...more] = yaml.filter(({ text }) => text.startsWith('# values.yaml'));
  expect(more).toEqual([]);
  const file = join(folder, 'values.yaml');
  await writeFile(file, values?.text ?? '');
  const { stdout } = await helm('template', 'selvedge', chartFolder, '--values', file);
  const deployment = parseAllDocuments(stdout)
    .map((document) => document.toJS() as Manifest & { readonly spec: object })
    .find(({ kind }) => kind === 'Deployment');
  const { nodeSelector } = parse(values?.text ?? '') as { readonly nodeSelector: object };
  const wanted = Object.fromEntries(Object.entries(nodeSelector).filter(([, value]) => value !== null));
  expect(deployment?.spec).toMatchObject({ template: { spec: { nodeSelector: wanted } } });
  expect(JSON.stringify(deployment)).not.toContain('node-role.kubernetes.io/control-plane":');
});
