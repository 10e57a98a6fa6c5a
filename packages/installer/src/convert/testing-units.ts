import { access, chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultPorts } from '../places.ts';
import type { TestDisk } from '../steps/testing-disk.ts';

/** What runs on a machine in small: its kubelet, and edge-lite. */
export interface TestUnits {
  /** As on the machine `/proc`. */
  readonly proc: string;
  /** Its kubelet has read that it shall talk to the hub. */
  readonly isConverted: () => Promise<boolean>;
  /** edge-lite runs. */
  readonly hasHub: () => Promise<boolean>;
  /** From its next start on, its kubelet reads another file than the one that is edited. */
  readonly ignoreEdits: () => Promise<void>;
}

/**
 * systemd in small: which units run, since when, and what the kubelet read when it started. The kernel in small: a process has
 * a connection to the hub if it read that it must.
 */
const systemctl = `#!/bin/sh
state=@STATE@
for name; do :; done
case "$*" in
  daemon-reload) ;;
  *is-enabled*) [ -e "$state/$name.enabled" ] ;;
  *MainPID*) echo MainPID=42 ;;
  *ExecMainStart*) echo ExecMainStartTimestampMonotonic=1000000 ;;
  show*)
    echo "InvocationID=$(cat "$state/$name.run" 2> /dev/null)"
    if [ -e "$state/$name.run" ]; then echo ActiveState=active; else echo ActiveState=inactive; fi
    echo Result=success; echo NRestarts=0 ;;
  enable*) touch "$state/$name.enabled" ;;
  disable*) rm -f "$state/$name.enabled" ;;
  *restart*)
    echo x >> "$state/count"
    wc -c < "$state/count" > "$state/$name.run"
    [ "$name" = kubelet.service ] || exit 0
    [ -e "$state/ignores" ] || cp @ETC@/kubelet.conf "$state/kubelet.read"
    rm -f "$state/proc/net/tcp"
    if grep -q hub "$state/kubelet.read"; then cp "$state/connected" "$state/proc/net/tcp"; fi ;;
  stop*) rm -f "$state/$name.run" ;;
  *) exit 1 ;;
esac`;

/** A process that has one socket, and what the kernel says of it while it leads to the hub. Source: proc_pid_net(5). */
async function prepareProc(state: string): Promise<void> {
  const hub = defaultPorts.hub.toString(16).toUpperCase();
  const line = `0: 0100007F:C000 0100007F:${hub} 01 00000000:00000000 00:00000000 00000000 0 0 77\n`;
  await mkdir(join(state, 'proc/net'), { recursive: true });
  await mkdir(join(state, 'proc/42/fd'), { recursive: true });
  await writeFile(join(state, 'proc/42/status'), 'PPid:\t1\n');
  await symlink('socket:[77]', join(state, 'proc/42/fd/3'));
  await writeFile(join(state, 'connected'), line);
}

/** Puts its programs beside a disk, and starts its kubelet. */
export async function createTestUnits(disk: TestDisk): Promise<TestUnits> {
  const state = join(disk.folder, '../state');
  const etc = join(disk.folder, 'etc');
  await mkdir(etc);
  await mkdir(state);
  await prepareProc(state);
  await writeFile(join(etc, 'kubelet.conf'), 'server: cloud\n');
  const text = systemctl.replaceAll('@STATE@', state).replaceAll('@ETC@', etc);
  const program = join(disk.folder, '../bin/systemctl');
  await writeFile(program, text);
  await chmod(program, 0o755);
  await disk.host.run({ argv: ['systemctl', 'restart', 'kubelet.service'] });
  return {
    proc: join(state, 'proc'),
    isConverted: async () => (await readFile(join(state, 'kubelet.read'), 'utf8')) === 'server: hub\n',
    hasHub: () =>
      access(join(state, 'edge-lite.service.run')).then(
        () => true,
        () => false,
      ),
    ignoreEdits: () => writeFile(join(state, 'ignores'), ''),
  };
}
