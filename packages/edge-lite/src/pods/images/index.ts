export { createImages, type ImageRequest, type ImageResult, type Images } from './ensure.ts';
export { parseImageReference, type ImageReference } from './reference.ts';
