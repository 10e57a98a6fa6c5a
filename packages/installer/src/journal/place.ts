import { dirname, join } from 'node:path';
import { type Host, programFailed } from '../host/index.ts';

/** Where a machine keeps its journal. */
export interface JournalPlace {
  readonly folder: string;
  readonly journal: string;
  readonly lock: string;
}

export const journalPlace = (folder = '/var/lib/selvedge-installer'): JournalPlace => ({
  folder,
  journal: join(folder, 'journal'),
  lock: join(folder, 'lock'),
});

/** Folders come and go one at a time. */
const alone = `
exec 9< "$2"
flock -w 10 9`;

/** `$1`: the folder, `$2`: its parent. When the parent was changed last is kept in a file: the folder itself changes it. */
const prepareScript = `
set -eu
umask 077
${alone}
[ -d "$1" ] && exit 0
time=$(stat -c %.9Y -- "$2")
mkdir -m 0700 "$1.new" 2> /dev/null || [ -d "$1.new" ]
[ -s "$1.new/parent-time" ] || printf '%s\\n' "$time" | cat > "$1.new/parent-time"
mv -T "$1.new" "$1"
sync "$2"`;

/**
 * A parent that was changed by somebody else meanwhile is older than it was; nobody goes by that. Who comes for the lock just now
 * makes its file again, once.
 */
const forgetScript = `
set -eu
${alone}
[ -d "$1" ] || exit 0
time=$(cat "$1/parent-time" 2> /dev/null || stat -c %.9Y -- "$2")
rm -rf --one-file-system -- "$1" || rm -rf --one-file-system -- "$1"
touch -c -m -d "@$time" -- "$2"
sync "$2"`;

type Place = Pick<JournalPlace, 'folder'>;

const running =
  (verb: string, script: string) =>
  async (host: Host, { folder }: Place, signal: AbortSignal): Promise<void> => {
    const argv = ['sh', '-c', script, 'sh', folder, dirname(folder)] as const;
    const result = await host.run({ argv }, signal);
    if (result.exitCode !== 0) throw programFailed({ what: `cannot ${verb} ${folder}` }, host, result);
  };

/** Makes the folder of the journal, if it is not there. */
export const prepareJournal = running('make', prepareScript);

/** Removes the journal and its folder, after all was taken back. */
export const forgetJournal = running('remove', forgetScript);
