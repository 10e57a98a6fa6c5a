import type { Host } from '../host/index.ts';

/** A program of a machine, and a port of the same machine. */
interface Talk {
  /** The unit that runs the program, or what starts it: `k3s-agent.service`. */
  readonly unit: string;
  /** On 127.0.0.1. */
  readonly port: number;
}

/**
 * `$1`: the unit, `$2`: the port, `$3`: where the kernel tells of processes. A program may have left the cgroup of its unit
 * (`kubeletCgroups`), so that those who descend from its main process count. Source: proc_pid_net(5), proc_pid_status(5).
 */
const script = `
main=$(systemctl show -p MainPID -- "$1") && main=\${main#MainPID=}
[ "\${main:-0}" -gt 1 ] || exit 1
to=0100007F:$(printf %04X "$2")
sockets=$(awk -v to="$to" '$3 == to && $4 == "01" { print "socket:[" $10 "]" }' "$3/net/tcp")
[ -n "$sockets" ] || exit 1
grep -Hs '^PPid:' "$3"/[0-9]*/status | sed -E 's|.*/([0-9]+)/status:PPid:[[:space:]]*|\\1 |' |
  awk -v main="$main" '
    { parent[$1] = $2 }
    END {
      for (pid in parent) {
        for (at = pid; at + 0 > 1 && at != main; ) at = at in parent ? parent[at] : 0
        if (at == main) print pid
      }
    }' |
  while read -r pid; do ls -l "$3/$pid/fd" 2> /dev/null; done | grep -qF "$sockets"`;

/** Whether what a unit runs has a TCP connection to a port of its machine now. */
export async function talksTo(host: Host, { unit, port }: Talk, signal: AbortSignal): Promise<boolean> {
  const argv = ['sh', '-c', script, 'sh', unit, `${port}`, '/proc'] as const;
  return (await host.run({ argv }, signal)).exitCode === 0;
}
