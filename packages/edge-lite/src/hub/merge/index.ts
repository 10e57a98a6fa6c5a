export { applyPatchBody } from './apply-patch-body.ts';
export { ownedStatus, type OwnedStatus } from './owned-status.ts';
export { rebase } from './rebase.ts';
export { replayPatch } from './replay-patch.ts';
export { isSame } from './three-way.ts';
