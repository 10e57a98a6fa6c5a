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
  readonly Labels?: Readonly<Record<string, string>>;
}

export interface ImageContent {
  /** With host and tag: `registry.k8s.io/pause:3.10.2`. */
  readonly ref: string;
  readonly config: ImageConfig;
  /** Default amd64. */
  readonly architecture?: 'amd64' | 'arm64';
  /** Uncompressed tar archives, the lowest first. */
  readonly layers: readonly Uint8Array[];
}

const platformOf = ({ architecture = 'amd64' }: ImageContent): object => ({ architecture, os: 'linux' });
const epoch = '1970-01-01T00:00:00Z';

/** What a descriptor tells of a content. Source: OCI image specification, "Content Descriptors". */
interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly content: Uint8Array;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function blobOf(kind: 'config' | 'layer' | 'manifest', content: Uint8Array): Blob {
  const types = { config: 'config.v1+json', layer: 'layer.v1.tar', manifest: 'manifest.v1+json' } as const;
  return {
    mediaType: `application/vnd.oci.image.${types[kind]}`,
    digest: `sha256:${sha256(content)}`,
    content,
  };
}

const descriptorOf = ({ mediaType, digest, content }: Blob): object => ({
  mediaType,
  digest,
  size: content.length,
});

const pathOf = ({ digest }: Blob): string => `blobs/${digest.replace(':', '/')}`;

/** The image's configuration document. Its digest is the image's ID. */
export function configDocument(image: ImageContent): Buffer {
  const document = {
    ...platformOf(image),
    created: epoch,
    config: image.config,
    rootfs: { type: 'layers', diff_ids: image.layers.map((layer) => `sha256:${sha256(layer)}`) },
    history: image.layers.map(() => ({ created: epoch })),
  };
  return Buffer.from(JSON.stringify(document));
}

/**
 * The image as an OCI image layout in one tar, which is what `docker save` writes too: `ctr images import`, `docker load`,
 * `podman load` and skopeo (oci-archive, docker-archive) read it. The same content gives the same bytes.
 */
export async function imageArchive(image: ImageContent): Promise<Buffer> {
  const config = blobOf('config', configDocument(image));
  const layers = image.layers.map((layer) => blobOf('layer', layer));
  const document = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptorOf(config),
    layers: layers.map(descriptorOf),
  };
  const manifest = blobOf('manifest', Buffer.from(JSON.stringify(document)));
  const annotations = {
    'io.containerd.image.name': image.ref,
    'org.opencontainers.image.ref.name': image.ref.slice(image.ref.lastIndexOf(':') + 1),
  };
  const index = {
    schemaVersion: 2,
    manifests: [{ ...descriptorOf(manifest), platform: platformOf(image), annotations }],
  };
  const docker = [{ Config: pathOf(config), RepoTags: [image.ref], Layers: layers.map(pathOf) }];
  const blobs = new Map([config, manifest, ...layers].map((blob) => [pathOf(blob), blob.content]));
  const files = [
    ['oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' })],
    ['index.json', JSON.stringify(index)],
    ['manifest.json', JSON.stringify(docker)],
    ...blobs,
  ] as const;
  return tarOf(files.map(([path, content]) => ({ kind: 'file', path, content })));
}
