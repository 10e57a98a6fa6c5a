export { createImages, type ImageRequest, type ImageResult, type Images } from './ensure.ts';
