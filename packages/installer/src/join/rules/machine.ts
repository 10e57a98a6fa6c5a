import { architectureOf } from '../../artifacts/index.ts';
import { defaultPorts } from '../../places.ts';
import { thresholds } from '../../thresholds.ts';
import { type Rules, type Sight, type Told, error, warning } from '../rule.ts';

const { lite } = thresholds;
const ports = [defaultPorts.kubelet, defaultPorts.hub];
/** Programs that run the pods of a node. */
const otherAgents = [
  'kubelet.service',
  'k3s.service',
  'k3s-agent.service',
  'rke2-server.service',
  'rke2-agent.service',
];

const seconds = (ms: number): string => `${Math.round(Math.abs(ms) / 1_000)} s`;

function clockOf({ cluster, aheadMs }: Sight): Told | undefined {
  if (cluster.aheadMs === undefined) return undefined;
  const off = aheadMs - cluster.aheadMs;
  if (Math.abs(off) < lite.clock.noticedMs) return undefined;
  const what = `its clock is ${seconds(off)} ${off > 0 ? 'ahead of' : 'behind'} that of the API server`;
  const why = 'certificates and tokens that are valid there are not valid here yet, or no longer';
  const fix =
    'run timedatectl set-ntp true, and wait until timedatectl reports that the clock is synchronized';
  return Math.abs(off) > lite.clock.tooMuchMs ? error(what, why, fix) : warning(what, why, fix);
}

function diskOf({ facts }: Sight): Told | undefined {
  const disk = facts.disks.find(({ path }) => path === '/var/lib');
  if (disk === undefined || disk.availableBytes >= lite.disk.comfortableBytes) return undefined;
  const what = `only ${Math.floor(disk.availableBytes / 2 ** 20)} MiB free in /var/lib`;
  const why = 'images, containers and node state are stored there';
  const fix = 'free some space, or mount a larger disk there';
  return disk.availableBytes < lite.disk.neededBytes ? error(what, why, fix) : warning(what, why, fix);
}

function otherAgentOf({ facts }: Sight): Told | undefined {
  const unit = otherAgents.find((name) => facts.units[name]?.activeState === 'active');
  if (unit !== undefined) {
    return error(
      `${unit} is running`,
      "this is already a node, and two agents would kill each other's pods",
      'use selvedge convert to make it an edge node; to make it a lite node, remove it from its cluster first',
    );
  }
  const [other] = facts.selvedge.otherAgents;
  if (other === undefined) return undefined;
  return error(
    `${other} is installed`,
    'two edge agents would fight over the same node',
    'remove it as described in its documentation',
  );
}

function portOf({ facts }: Sight): Told | undefined {
  const taken = ports.filter((port) => facts.ports.some((one) => one.port === port));
  if (taken.length === 0) return undefined;
  const list = taken.join(' and ');
  return error(
    `port ${list} is in use`,
    'edge-lite serves the kubelet API on 10250 and the hub on 10270',
    `find the process with ss -ltnp 'sport = :${taken[0]}' and stop it`,
  );
}

/** About the machine itself. */
export const machineRules: Rules = {
  'join-root': ({ runtime: { uid } }) =>
    uid === 0
      ? undefined
      : error('not running as root', 'join creates systemd units, mounts and networks', 'run it with sudo'),
  'join-systemd': ({ facts: { init } }) =>
    init === 'systemd'
      ? undefined
      : error(`PID 1 is ${init}`, 'edge-lite runs as a systemd unit', 'use a system with systemd'),
  'join-architecture': ({ facts: { arch } }) =>
    architectureOf(arch) !== undefined
      ? undefined
      : error(
          `unsupported architecture ${arch}`,
          'edge-lite is built for x86_64 and aarch64',
          'use another machine',
        ),
  'join-memory': ({ facts: { memoryBytes } }) =>
    memoryBytes >= lite.memoryBytes
      ? undefined
      : warning(
          'it has less than 256 MiB of memory',
          'edge-lite and containerd take about 120 MiB',
          'add memory',
        ),
  'join-other-agent': otherAgentOf,
  'join-left': ({ runtime: { full } }) =>
    full.length === 0
      ? undefined
      : error(
          `${full.join(' and ')} ${full.length === 1 ? 'is' : 'are'} not empty`,
          'an earlier installation left files there, and there is no journal of it',
          'find out what they belong to, and move them away',
        ),
  'join-ports': portOf,
  'join-disk': diskOf,
  'join-clock': clockOf,
};
