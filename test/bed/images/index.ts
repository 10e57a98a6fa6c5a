export { type Image, ensureImages } from './ensure-images.ts';
export { imageRefs } from './recipe.ts';
