import type { ImageContent } from '@selvedge/hack/image';

/** The images of the testbed, by what they are used as. */
export const imageRefs = {
  pause: 'registry.k8s.io/pause:3.10.2',
  busybox: 'docker.io/library/busybox:1',
  agnhost: 'registry.k8s.io/e2e-test-images/agnhost:2.63.0',
  nginx: 'docker.io/library/nginx:1',
} as const;

export type ImageName = keyof typeof imageRefs;

/** How one image is made. */
export interface Recipe {
  /** Names its folder in the cache. */
  readonly name: string;
  readonly ref: string;
  /** What the content depends on, cheap to read. */
  inputs(signal?: AbortSignal): Promise<readonly (string | Uint8Array)[]>;
  content(signal?: AbortSignal): Promise<ImageContent>;
}

/** The same of an image of `imageRefs`. */
export type ImageRecipe = Omit<Recipe, 'name' | 'ref'> & { readonly name: ImageName };
