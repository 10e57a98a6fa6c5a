/** One line of fstab(5). */
export interface Mount {
  /** A file system's source, or the folder of a bind mount. */
  readonly source: string;
  readonly target: string;
  /** `bind` is no type of the kernel's: it is written as an option. */
  readonly type: string;
  readonly options?: readonly string[];
}

/** Source: fstab(5), "fields … octal"; `#` would begin a comment. */
function field(text: string): string {
  return text.replaceAll(
    /[\\\s#]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
}

function line({ source, target, type, options = [] }: Mount): string {
  const all = [...options, ...(type === 'bind' ? ['bind'] : []), 'X-mount.mkdir'];
  return [source, target, type === 'bind' ? 'none' : type, all.join(','), '0', '0'].map(field).join(' ');
}

/** The text that `mount --all --fstab FILE` mounts in this order; missing mount points are made. */
export function mountTable(mounts: readonly Mount[]): string {
  return mounts.map((mount) => `${line(mount)}\n`).join('');
}
