import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A systemd of the test's own, as a program in its PATH. A unit is a folder: it is enabled, it is active, it has a run
 * that bears a number, and it has read a file when it was started. It is ready at the second look.
 */
export interface TestSystemd {
  /** A unit that runs and reads `file` whenever it is started. */
  add(name: string, file: string): Promise<void>;
  /** What is of each unit, by name; `seen` is what it read last. */
  look(): Promise<ReadonlyMap<string, TestUnit>>;
  /** Whether edge-lite's address is there, which it adds when it starts and leaves when it is killed. */
  hasAddress(): Promise<boolean>;
}

export interface TestUnit {
  readonly enabled: boolean;
  readonly active: boolean;
  readonly seen: string;
}

const systemctl = (units: string, address: string): string => `#!/bin/sh
for word; do name="$word"; done
unit="${units}/$name"
start() {
  mkdir -p "$unit"
  run=$(cat "$unit/run" 2> /dev/null || echo 0)
  echo $((run + 1)) > "$unit/run"
  echo activating > "$unit/active"
  [ "$name" != edge-lite.service ] || : > "${address}"
  if [ -e "$unit/reads" ]; then cat "$(cat "$unit/reads")" > "$unit/seen"; fi
}
case "$*" in
  daemon-reload) ;;
  "--quiet is-enabled"*) [ -e "$unit/enabled" ] ;;
  enable*) mkdir -p "$unit" && : > "$unit/enabled" ;;
  disable*) rm -f "$unit/enabled" ;;
  "--quiet reset-failed"*) [ -d "$unit" ] && rm -f "$unit/failed" ;;
  stop*) mkdir -p "$unit" && echo inactive > "$unit/active" ;;
  "--no-block restart"*) start ;;
  show*)
    active=$(cat "$unit/active" 2> /dev/null || echo inactive)
    echo "InvocationID=$(cat "$unit/run" 2> /dev/null)"
    echo "ActiveState=$active"
    echo Result=success
    echo NRestarts=0
    if [ "$active" = activating ]; then echo active > "$unit/active"; fi ;;
  *) echo "what is $*?" >&2; exit 1 ;;
esac`;

/** Knows one address of `lo`, which is there while the file is. */
const ip = (address: string): string => `#!/bin/sh
case "$*" in
  *show*) if [ -e "${address}" ]; then echo "1: lo inet"; fi ;;
  "address del"*) rm "${address}" ;;
esac`;

const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/** Puts the programs into `bin`. Their state is beside it. */
export async function createTestSystemd(bin: string): Promise<TestSystemd> {
  const units = join(bin, '../units');
  const address = join(bin, '../address');
  await mkdir(units);
  await writeFile(join(bin, 'systemctl'), systemctl(units, address), { mode: 0o755 });
  await writeFile(join(bin, 'ip'), ip(address), { mode: 0o755 });
  return {
    async add(name, file) {
      const unit = join(units, name);
      await mkdir(unit);
      await writeFile(join(unit, 'run'), '1\n');
      await writeFile(join(unit, 'active'), 'active\n');
      await writeFile(join(unit, 'enabled'), '');
      await writeFile(join(unit, 'reads'), file);
      await writeFile(join(unit, 'seen'), await readFile(file));
    },
    hasAddress: async () => (await readdir(join(bin, '..'))).includes('address'),
    async look() {
      const names = await readdir(units);
      const entries = names.map(async (name) => {
        const there = await readdir(join(units, name));
        const active = (await textOf(join(units, name, 'active'))).trim() === 'active';
        const seen = await textOf(join(units, name, 'seen'));
        return [name, { enabled: there.includes('enabled'), active, seen }] as const;
      });
      return new Map(await Promise.all(entries));
    },
  };
}
