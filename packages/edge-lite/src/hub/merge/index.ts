export { applyPatchBody } from './apply-patch-body.ts';
