/** Scripts for a POSIX shell. What they work on are arguments: `$1` is the path. */
export const scripts = {
  look: `
if [ -L "$1" ]; then echo link
elif [ ! -e "$1" ]; then echo absent
elif [ -f "$1" ]; then stat -c 'file %a %u %g %Y %s' -- "$1" && sha256sum < "$1"
elif [ -d "$1" ]; then stat -c 'folder %a %u %g' -- "$1"
else echo other
fi`,
  /** `$2`: its mode, `$3`: uid:gid. */
  write: `
set -eu
umask 077
new="$1.selvedge-new"
cat > "$new"
chown "$3" "$new"
chmod "$2" "$new"
sync "$new"
mv -f "$new" "$1"
sync "$(dirname "$1")"`,
  append: `
set -eu
umask 077
cat >> "$1"
sync "$1" "$(dirname "$1")"`,
  /** `$2`: where to. A link keeps the file itself with all that belongs to it; where there are none a copy must do. */
  keep: `
set -eu
[ -e "$2" ] || ln "$1" "$2" 2> /dev/null || { cp -a "$1" "$2.selvedge-new" && mv -f "$2.selvedge-new" "$2"; }
sync "$2" "$(dirname "$2")"`,
  /** `$1`: the kept one, `$2`: where it was. Of two names of one file, which `mv` leaves alone, one is taken away. */
  putBack: `
set -eu
[ -e "$1" ] || exit 66
if [ "$1" -ef "$2" ]; then rm -f "$1"; else mv -f "$1" "$2"; fi
sync "$(dirname "$2")"`,
  remove: `
set -eu
rm -f "$1"
sync "$(dirname "$1")"`,
  makeFolder: `
set -eu
mkdir -m "$2" "$1"
sync "$(dirname "$1")"`,
  removeFolder: `
set -eu
[ -e "$1" ] || exit 0
rmdir "$1" || exit 66
sync "$(dirname "$1")"`,
} as const;

/** What the scripts exit with when the file is not there, or not as it must be (`EX_NOINPUT`, sysexits.h). */
export const notThere = 66;
