import { createHash } from 'node:crypto';
import { tarOf } from './tar.ts';

/** How a container of the image starts. Source: OCI image specification, "Image Configuration". */
export interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly StopSignal?: string;
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>;
}

export interface ImageContent {
  /** With host and tag: `registry.k8s.io/pause:3.10.2`. */
  readonly ref: string;
  readonly config: ImageConfig;
  /** Uncompressed tar archives, the lowest first. */
  readonly layers: readonly Uint8Array[];
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The image's configuration document. Its digest is the image's ID. */
export function configDocument(image: ImageContent): Buffer {
  const document = {
    architecture: 'amd64',
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: image.config,
    rootfs: { type: 'layers', diff_ids: image.layers.map((layer) => `sha256:${sha256(layer)}`) },
    history: image.layers.map(() => ({ created: '1970-01-01T00:00:00Z' })),
  };
  return Buffer.from(JSON.stringify(document));
}

/**
 * The image as `docker save` writes it, which `ctr images import` and `skopeo` (docker-archive) read. The same content
 * gives the same bytes.
 */
export async function imageArchive(image: ImageContent): Promise<Buffer> {
  const config = configDocument(image);
  const layers = image.layers.map((content) => ({ path: `${sha256(content)}.tar`, content }));
  const unique = new Map(layers.map((layer) => [layer.path, layer]));
  const manifest = [
    { Config: `${sha256(config)}.json`, RepoTags: [image.ref], Layers: layers.map(({ path }) => path) },
  ];
  return tarOf([
    { kind: 'file', path: 'manifest.json', content: JSON.stringify(manifest) },
    { kind: 'file', path: `${sha256(config)}.json`, content: config },
    ...[...unique.values()].map((layer) => ({ kind: 'file', ...layer }) as const),
  ]);
}
