/** Changes of a bare machine that becomes a lite node, beside those of files and units. */
export type LiteStep = PackagesStep | SysctlStep | SecretStep | PodsStep | ImagesStep | RulesStep;

/** Packages of the distribution; those that are installed stay as they are. Back: they go, with what came with them and what they configured, unless somebody needs them by now. */
export interface PackagesStep {
  readonly kind: 'packages';
  readonly manager: 'apt' | 'dnf';
  readonly names: readonly string[];
  /** Files of packages among `ExecutorDeps.sources`, of which those that are missing are installed and nothing is fetched. Empty: fetched by name. */
  readonly archives: readonly string[];
}

/** A parameter of the kernel, until it boots again; back: as it was. */
export interface SysctlStep {
  readonly kind: 'sysctl';
  /** Below /proc/sys: `net/ipv4/ip_forward`. */
  readonly name: string;
  readonly value: string;
}

/** A file whose content nobody writes down. Its reader may remove it. Back: it goes, whatever is in it. */
export interface SecretStep {
  readonly kind: 'secret';
  readonly path: string;
  /** Its name among `ExecutorDeps.sources`. */
  readonly source: string;
  /** Permission bits. Default 0600: only root may read it. */
  readonly mode?: number;
  /** By name; default root's. */
  readonly group?: string;
}

/** Pods that edge-lite runs later; back: they end, and what they have on the machine goes. */
export interface PodsStep {
  readonly kind: 'pods';
  /** edge-lite, and its config. */
  readonly program: string;
  readonly config: string;
}

/** Images that are pulled later; back: those that were not there before go. */
export interface ImagesStep {
  readonly kind: 'images';
  /** Of containerd. */
  readonly namespace: string;
}

/** Rules of the packet filter that CNI plugins make later, and leave; back: they go, but for chains that were there before, and tables that came with them if nothing else is in them. */
export interface RulesStep {
  readonly kind: 'rules';
}

/** What was there before a step of a lite node. */
export type LiteBefore =
  /** Packages that were not installed. */
  | { readonly kind: 'packages'; readonly missing: readonly string[] }
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'images'; readonly names: readonly string[] }
  | {
      readonly kind: 'tables';
      /** `FAMILY NAME`. */
      readonly names: readonly string[];
      /** Of CNI plugins in the table nat: those of another runtime's containers. */
      readonly chains: Readonly<Record<'iptables' | 'ip6tables', readonly string[]>>;
    };
