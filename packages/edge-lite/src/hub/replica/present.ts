import type { KubeObject } from '@selvedge/kube';
import { normalized } from './content.ts';
import type { OverlayDocument } from './overlay-document.ts';
import type { ApplyViews, HeldResource, Rebase } from './types.ts';

export interface PresentDeps {
  readonly rebase: Rebase;
  readonly applyViews: ApplyViews;
}

/** view(overlay(base)): `base` itself when nothing lies over it. An overlay is for one object, not for its name. */
export type Present = (
  resource: HeldResource,
  base: KubeObject,
  overlay: OverlayDocument | undefined,
) => KubeObject;

export function createPresent({ rebase, applyViews }: PresentDeps): Present {
  return (resource, base, overlay) => {
    const laid =
      overlay === undefined || overlay.uid !== (base.metadata.uid ?? '')
        ? base
        : rebase(resource, { anchor: overlay.anchor, current: overlay.current, base });
    const viewed = applyViews(resource, laid);
    return viewed === base ? base : normalized(viewed);
  };
}
