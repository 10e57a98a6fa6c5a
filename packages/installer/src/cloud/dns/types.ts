import type { Place } from '../inventory/index.ts';

/** Where the cluster's DNS takes a zone of ours. */
export type ZonePlace =
  /** The Corefile in a ConfigMap of CoreDNS. */
  | {
      readonly kind: 'corefile';
      readonly place: Place;
      readonly key: string;
      readonly text: string;
      /** CoreDNS reads it again by itself. */
      readonly reloads: boolean;
    }
  /** The ConfigMap `coredns-custom`, whose files CoreDNS imports: k3s, AKS. `text`: what the key has; undefined: nothing. */
  | {
      readonly kind: 'custom';
      readonly place: Place;
      readonly key: string;
      readonly text: string | undefined;
      readonly isThere: boolean;
    }
  | { readonly kind: 'unknown'; readonly why: string };
