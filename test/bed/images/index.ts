export { type Image, ensureImage, ensureImages } from './ensure-images.ts';
export { type ImageName, type Recipe, imageRefs } from './recipe.ts';
