import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
/** `docs/tasks/tunnel.md, "Firewall"`, but not a page of containerd's own repository. */
const reference = /(?<!containerd, )\bdocs\/[\w/-]+\.md(?:,? "([^"\n]+)")?/g;

interface Reference {
  readonly page: string;
  readonly heading: string | undefined;
}

function referencesIn(text: string): readonly Reference[] {
  return Array.from(text.matchAll(reference), ([whole, heading]) => {
    return { page: whole.replace(/\.md.*$/, '.md'), heading };
  });
}

async function allReferences(): Promise<readonly Reference[]> {
  const files = await readdir(import.meta.dirname, { recursive: true });
  const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const texts = sources.map((file) => readFile(join(import.meta.dirname, file), 'utf8'));
  return (await Promise.all(texts)).flatMap(referencesIn);
}

async function headingsOf(page: string): Promise<readonly string[]> {
  const text = await readFile(join(root, page), 'utf8');
  return Array.from(text.matchAll(/^#+ (.+)$/gm), ([, heading = '']) => heading);
}

/** Those whose heading is not on their page; a page that is not there rejects. */
async function wrongHeadings(references: readonly Reference[]): Promise<readonly Reference[]> {
  const pages = new Map<string, readonly string[]>();
  for (const { page } of references) pages.set(page, await headingsOf(page));
  return references.filter(({ page, heading }) => {
    return heading !== undefined && pages.get(page)?.includes(heading) !== true;
  });
}

describe('what sources of the installer refer to in docs', () => {
  it('is there, page and heading', async () => {
    const references = await allReferences();
    expect(references.filter(({ heading }) => heading !== undefined).length).toBeGreaterThan(3);
    expect(await wrongHeadings(references)).toEqual([]);
  });
});
