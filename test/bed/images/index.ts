export { type Image, ensureImages } from './ensure-images.ts';
export { type ImageName, imageRefs } from './recipe.ts';
