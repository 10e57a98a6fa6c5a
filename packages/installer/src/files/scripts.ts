/**
 * Scripts for a POSIX shell. What they work on are arguments: `$1` is the path, absolute. What is not whole yet has a dot in
 * front of its name: the kubelet would run a half manifest. Source: Kubernetes 1.36, pkg/kubelet/config/file.go and file_linux.go.
 */
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
new="\${1%/*}/.\${1##*/}.selvedge-new"
cat > "$new" || { rm -f "$new"; exit 1; }
chown "$3" "$new"
chmod "$2" "$new"
sync "$new"
mv -f "$new" "$1"
sync "$(dirname "$1")"`,
  /** All of it or nothing: on a disk that is full a part would stand before what comes next. */
  append: `
set -eu
umask 077
size=$(stat -c %s -- "$1" 2> /dev/null) || size=0
cat >> "$1" || { truncate -s "$size" "$1" 2> /dev/null; exit 1; }
sync "$1" "$(dirname "$1")"`,
  /** `$2`: how many bytes stay. */
  shorten: `
set -eu
truncate -s "$2" "$1"
sync "$1"`,
  /** `$2`: where to. A link keeps the file itself with all that belongs to it; where there are none a copy must do. */
  keep: `
set -eu
[ -e "$2" ] || ln "$1" "$2" 2> /dev/null || { cp -a "$1" "$2.selvedge-new" && mv -f "$2.selvedge-new" "$2"; }
sync "$2" "$(dirname "$2")"`,
  /** `$1`: the kept one, `$2`: where it was. Of two names of one file, which `mv` leaves alone, one is taken away. */
  putBack: `
set -eu
rm -f "\${2%/*}/.\${2##*/}.selvedge-new" "$1.selvedge-new"
[ -e "$1" ] || { echo "$1 is not there" >&2; exit 66; }
if [ "$1" -ef "$2" ]; then rm -f "$1"; else mv -f "$1" "$2"; fi
sync "$(dirname "$2")"`,
  /** With what was written of a new one when the power went. */
  remove: `
set -eu
rm -f "$1" "\${1%/*}/.\${1##*/}.selvedge-new"
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
  lookTree: `
if [ -L "$1" ] || { [ -e "$1" ] && [ ! -d "$1" ]; }; then echo other
elif [ ! -e "$1" ]; then echo absent
elif [ -z "$(ls -A -- "$1")" ]; then echo empty
else echo full
fi`,
  /** `$2`: `keep` for the folder itself. What is mounted below it is not ours to delete. */
  removeTree: `
set -eu
[ -e "$1" ] || exit 0
awk -v below="$1/" 'index($2, below) == 1 { print $2 }' /proc/self/mounts | sort -r |
  while read -r mount; do umount -l "$(printf '%b' "$mount")"; done
if [ "$2" = keep ]; then find "$1" -xdev -mindepth 1 -delete; else rm -rf --one-file-system -- "$1"; fi
sync "$(dirname "$1")"`,
  /** `$2`: its mode. Then pairs: a field of a kubeconfig, or `-` for a whole file, and the file. */
  compose: String.raw`
set -eu
umask 077
path="$1" mode="$2" new="$(dirname "$1")/.$(basename "$1").selvedge-new"
shift 2
: > "$new"
while [ $# -gt 0 ]; do
  if [ "$1" = - ]; then cat -- "$2" >> "$new"
  else
    value=$(sed -n -E "s|^[[:space:]]*(- )?$1:[[:space:]]*[\"']?([A-Za-z0-9+/=]+)[\"']?[[:space:]]*$|\2|p" "$2")
    [ "$(printf '%s\n' "$value" | grep -c .)" = 1 ] || { echo "$1 is not once in $2" >&2; exit 66; }
    printf '%s' "$value" | base64 -d >> "$new"
  fi
  [ -z "$(tail -c 1 "$new")" ] || echo >> "$new"
  shift 2
done
chmod "$mode" "$new"
sync "$new"
mv -f "$new" "$path"
sync "$(dirname "$path")"`,
  /** Prints how much of a new file is there. */
  partSize: `stat -c %s -- "\${1%/*}/.\${1##*/}.selvedge-new" 2> /dev/null || echo 0`,
  /**
   * `$2`: how much is there. What is added comes by gzip: of a piece that breaks off, what came before the break stays. If there
   * is no room for it the file goes, so that the way back has some. Prints how much is there then.
   */
  appendPart: `
set -eu
umask 077
new="\${1%/*}/.\${1##*/}.selvedge-new"
[ -e "$new" ] || : > "$new"
[ "$(stat -c %s -- "$new")" = "$2" ] || { echo "somebody else uploads it too" >&2; exit 66; }
said=$(LC_ALL=C gunzip -c 2>&1 >> "$new") || {
  case $said in *'No space left'* | *'quota exceeded'* | *'File too large'*) rm -f "$new" ;; esac
  echo "$said" >&2
  exit 1
}
stat -c %s -- "$new"`,
  /** `$2`: the hash that it must have, `$3`: its mode. */
  finishPart: `
set -eu
new="\${1%/*}/.\${1##*/}.selvedge-new"
[ "$(sha256sum < "$new" | cut -c 1-64)" = "$2" ] || {
  rm -f "$new"
  echo 'what arrived is not what was sent' >&2
  exit 66
}
chown 0:0 "$new"
chmod "$3" "$new"
sync "$new"
mv -f "$new" "$1"
sync "$(dirname "$1")"`,
  /** Prints a line for each folder: when it was changed last, or `-`. */
  times: `
for path; do
  if [ -d "$path" ]; then stat -c %.9Y -- "$path"; else echo -; fi
done`,
  /** Pairs: a time, and the folder that gets it. */
  setTimes: `
set -eu
while [ $# -gt 0 ]; do
  if [ -d "$2" ]; then touch -c -m -d "@$1" -- "$2" && sync "$2"; fi
  shift 2
done`,
} as const;

/** What the scripts exit with when the file is not there, or not as it must be (`EX_NOINPUT`, sysexits.h). */
export const notThere = 66;
