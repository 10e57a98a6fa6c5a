export { createOwnObjects } from './own-objects.ts';
