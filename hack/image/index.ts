export { type ImageConfig, type ImageContent, imageArchive } from './archive.ts';
export { librariesOf } from './libraries.ts';
export { managerImage } from './manager-image.ts';
export { nodeShellImage } from './node-shell-image.ts';
export { type TarEntry, layerOf, tarOf } from './tar.ts';
