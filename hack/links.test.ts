import { existsSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

/** Whoever follows a link in the documentation gets somewhere, and every page can be reached. */

const root = join(import.meta.dirname, '..');

interface Page {
  readonly path: string;
  readonly links: readonly string[];
  /** Of its headings, as GitHub makes them. */
  readonly anchors: ReadonlySet<string>;
}

const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');

function pageOf(path: string, markdown: string): Page {
  const prose = markdown.replaceAll(/^ *```[^]*?^ *```$/gm, '');
  const words = prose.replaceAll(/`[^`\n]*`/g, '');
  const headings = prose.matchAll(/^#+ (.+)$/gm);
  return {
    path,
    links: Array.from(words.matchAll(/\]\(([^)\s]+)\)/g), ([, link = '']) => link),
    anchors: new Set(Array.from(headings, ([, heading = '']) => anchorOf(heading))),
  };
}

const paths = await Array.fromAsync(glob(['*.md', 'docs/**/*.md'], { cwd: root }));
const pages = new Map(
  await Promise.all(
    paths.map(async (path) => [path, pageOf(path, await readFile(join(root, path), 'utf8'))] as const),
  ),
);

const isElsewhere = (link: string): boolean => /^[a-z]+:/.test(link);

/** From the root on. */
function targetOf({ path }: Page, link: string): { readonly file: string; readonly anchor: string } {
  const [file = '', anchor = ''] = link.split('#');
  return { file: file === '' ? path : relative(root, join(root, dirname(path), file)), anchor };
}

function leadsSomewhere(page: Page, link: string): boolean {
  const { file, anchor } = targetOf(page, link);
  return existsSync(join(root, file)) && (anchor === '' || (pages.get(file)?.anchors.has(anchor) ?? false));
}

test('every link leads to a file, and to a heading of it', () => {
  const all = Array.from(pages.values(), (page) =>
    page.links
      .filter((link) => !isElsewhere(link) && !leadsSomewhere(page, link))
      .map((link) => `${page.path}: ${link}`),
  );
  expect(pages.size).toBeGreaterThan(30);
  expect(all.flat()).toEqual([]);
});

const isRecord = (path: string): boolean => /^docs\/adr\/\d/.test(path);
const isInIndex = (path: string): boolean => path.startsWith('docs/') && !isRecord(path);

test.each([
  ['docs/README.md', 'page', isInIndex],
  ['docs/adr/README.md', 'record', isRecord],
] as const)('%s names every %s', (path, _what, isMeant) => {
  const index = pages.get(path);
  const named = new Set(index?.links.map((link) => targetOf(index, link).file));
  const meant = paths.filter((one) => isMeant(one) && one !== path);
  expect(meant.length).toBeGreaterThan(10);
  expect(meant.filter((one) => !named.has(one))).toEqual([]);
});
