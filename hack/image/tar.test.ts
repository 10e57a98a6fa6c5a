import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { fc, test as property } from '@fast-check/vitest';
import { extract } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { configDocument, imageArchive } from './archive.ts';
import { type TarEntry, layerOf, parentsOf, tarOf } from './tar.ts';

interface Read {
  readonly name: string;
  readonly type: string | null | undefined;
  readonly mode: number | undefined;
  readonly link: string | null | undefined;
  readonly mtimeMs: number | undefined;
  readonly bytes: Buffer;
}

async function read(archive: Uint8Array): Promise<Read[]> {
  const entries: Read[] = [];
  for await (const entry of Readable.from([archive]).pipe(extract())) {
    const { name, type, mode, linkname, mtime } = entry.header;
    const bytes = await buffer(entry);
    entries.push({ name, type, mode, link: linkname, mtimeMs: mtime?.getTime(), bytes });
  }
  return entries;
}

describe('tarOf', () => {
  it('keeps kind, mode and target', async () => {
    const archive = await tarOf([
      { kind: 'directory', path: 'tmp', mode: 0o1777 },
      { kind: 'file', path: 'bin/sh', content: 'x', mode: 0o755 },
      { kind: 'symlink', path: 'bin/ash', target: '/bin/sh' },
    ]);
    expect(await read(archive)).toMatchObject([
      { name: 'tmp/', type: 'directory', mode: 0o1777, mtimeMs: 0 },
      { name: 'bin/sh', type: 'file', mode: 0o755, mtimeMs: 0, bytes: Buffer.from('x') },
      { name: 'bin/ash', type: 'symlink', link: '/bin/sh' },
    ]);
  });

  const files = fc.uniqueArray(
    fc.record({
      kind: fc.constant('file' as const),
      path: fc
        .array(fc.stringMatching(/^[a-zA-Z0-9._-]{1,60}$/), { minLength: 1, maxLength: 6 })
        .map((parts) => parts.map((part) => `d${part}`).join('/')),
      content: fc.uint8Array({ maxLength: 2_000 }),
    }),
    { selector: (entry) => entry.path },
  );

  property.prop([files])('is read back as it was written, long paths included', async (entries) => {
    const found = await read(await tarOf(entries));
    expect(found.map(({ name, bytes }) => [name, bytes])).toEqual(
      entries.map(({ path, content }) => [path, Buffer.from(content)]),
    );
  });
});

describe('layerOf', () => {
  const entries: readonly TarEntry[] = [
    { kind: 'file', path: 'usr/share/html/index.html', content: 'hello' },
    { kind: 'directory', path: 'usr', mode: 0o700 },
  ];

  it('puts each folder before what is in it, once', async () => {
    const names = (await read(await layerOf(entries))).map(({ name, mode }) => [name, mode]);
    expect(names).toEqual([
      ['usr/', 0o700],
      ['usr/share/', 0o755],
      ['usr/share/html/', 0o755],
      ['usr/share/html/index.html', 0o644],
    ]);
  });

  it('does not depend on the order of its entries', async () => {
    expect(await layerOf(entries)).toEqual(await layerOf(entries.toReversed()));
  });

  it('needs no parents for what lies at the root', () => {
    expect(parentsOf([{ kind: 'file', path: 'pause', content: '' }])).toEqual([]);
  });
});

describe('imageArchive', () => {
  const image = {
    ref: 'registry.example/thing:1',
    config: { Entrypoint: ['/thing'], User: '65535:65535' },
    layers: [Buffer.from('first layer'), Buffer.from('second layer'), Buffer.from('first layer')],
  };
  const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

  it('is a layout that leads from the index by digests to configuration and layers', async () => {
    const files = new Map((await read(await imageArchive(image))).map(({ name, bytes }) => [name, bytes]));
    const json = (path: string): unknown => JSON.parse(files.get(path)?.toString() ?? '');
    const blob = ({ digest: of }: { readonly digest: string }): Buffer | undefined =>
      files.get(`blobs/${of.replace(':', '/')}`);
    type Descriptor = { readonly digest: string; readonly size: number };
    const { manifests } = json('index.json') as {
      readonly manifests: readonly (Descriptor & { readonly annotations: object })[];
    };
    expect(json('oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' });
    expect(manifests[0]?.annotations).toEqual({
      'io.containerd.image.name': 'registry.example/thing:1',
      'org.opencontainers.image.ref.name': '1',
    });
    const manifest = JSON.parse(blob(manifests[0] ?? { digest: '' })?.toString() ?? '') as {
      readonly config: Descriptor;
      readonly layers: readonly Descriptor[];
    };
    expect(blob(manifest.config)).toEqual(configDocument(image));
    expect(manifest.layers.map((layer) => blob(layer)?.toString())).toEqual(image.layers.map(String));
    for (const layer of manifest.layers) expect(layer.size).toBe(blob(layer)?.length);
    const blobs = Array.from(files).filter(([name]) => name.startsWith('blobs/'));
    expect(blobs).toHaveLength(4);
    for (const [name, bytes] of blobs) expect(name).toBe(`blobs/sha256/${digest(bytes)}`);
  });

  it('is one of docker too', async () => {
    const files = await read(await imageArchive(image));
    const manifest = files.find(({ name }) => name === 'manifest.json')?.bytes.toString() ?? '';
    expect(JSON.parse(manifest)).toEqual([
      {
        Config: `blobs/sha256/${digest(configDocument(image))}`,
        RepoTags: ['registry.example/thing:1'],
        Layers: image.layers.map((layer) => `blobs/sha256/${digest(layer)}`),
      },
    ]);
  });

  it('lists every layer in the configuration, in order', () => {
    const document: unknown = JSON.parse(configDocument(image).toString());
    expect(document).toMatchObject({
      architecture: 'amd64',
      os: 'linux',
      config: image.config,
      rootfs: { type: 'layers', diff_ids: image.layers.map((layer) => `sha256:${digest(layer)}`) },
    });
  });

  it('is the same for the same content', async () => {
    expect(await imageArchive(image)).toEqual(await imageArchive(structuredClone(image)));
  });
});
