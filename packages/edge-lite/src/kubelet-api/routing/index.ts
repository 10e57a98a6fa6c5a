export { attributesOf } from './attributes.ts';
export { createRouter, type Match, type Router } from './router.ts';
export { targetOf, type Target } from './target.ts';
