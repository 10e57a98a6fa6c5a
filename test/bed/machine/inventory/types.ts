/**
 * What is on a machine, as plain data: for each part a name and what is known of it, in one line. Two of them are compared by
 * `diffInventories`.
 */
export type Inventory = Readonly<Record<InventoryPart, Facts>>;

/** A name, `/etc/hosts` for instance, and what is known of it: `file 0644 0:0 … sha256:…`. */
export type Facts = Readonly<Record<string, string>>;

export const inventoryParts = [
  'files',
  'units',
  'users',
  'groups',
  'addresses',
  'routes',
  'nft',
  'iptables',
  'mounts',
  'sysctls',
] as const;

export type InventoryPart = (typeof inventoryParts)[number];

/** A path that changes by itself, or whose time does. */
export interface VolatilePath {
  /** A file, or a folder with all that is in it. With `*` at its end: all that begins so. */
  readonly path: string;
  /** `all`: it is left out; `mtime`: only its time of change is. */
  readonly what: 'all' | 'mtime';
  /** Who changes it. */
  readonly reason: string;
}
