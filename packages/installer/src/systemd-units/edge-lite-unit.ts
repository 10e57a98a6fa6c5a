import { places } from '../places.ts';

/** What edge-lite is on a machine: its hub and tunnel beside a kubelet, or all that there is. */
export type EdgeLiteRole = 'hub' | 'lite';

export interface EdgeLiteUnitOptions {
  readonly role: EdgeLiteRole;
  /** Default `/usr/local/bin/edge-lite`. */
  readonly executable?: string;
}

type Settings = readonly (readonly [name: string, value: string])[];

const descriptions: Readonly<Record<EdgeLiteRole, string>> = {
  hub: 'Selvedge hub of this node',
  lite: 'Selvedge edge node',
};

/** Source: systemd.service(5), sd_notify(3), systemd.resource-control(5). */
const life: Settings = [
  ['Type', 'notify'],
  // It tells systemd by systemd-notify.
  ['NotifyAccess', 'all'],
  // Ready is who knows what to do: from the cloud, or from disk. A node that was never in a cluster may wait for long.
  ['TimeoutStartSec', 'infinity'],
  // Above its own 80 s.
  ['TimeoutStopSec', '90'],
  // It says every minute that it is alive.
  ['WatchdogSec', '2min'],
  ['Restart', 'on-failure'],
  ['RestartSec', '2'],
  // 2: the config is wrong; 3: the cluster refuses the node. Trying again does not help.
  ['RestartPreventExitStatus', '2 3'],
  // Containers are containerd's: none is in the cgroup of this unit.
  ['KillMode', 'mixed'],
  ['LimitCORE', '0'],
  ['StateDirectory', 'selvedge'],
  ['StateDirectoryMode', '0700'],
];

/** Anonymous memory is 20 to 60 MiB; the rest is cache of the state file and of the executable, which may go. */
const memory: Settings = [
  ['MemoryHigh', '256M'],
  ['MemoryMax', '384M'],
];

/** What is safe with every role: nothing of it gives the unit a view of the files of its own. */
const everywhere: Settings = [
  ['NoNewPrivileges', 'true'],
  ['LockPersonality', 'true'],
  ['ProtectClock', 'true'],
  ['ProtectHostname', 'true'],
  ['RestrictNamespaces', 'true'],
  ['RestrictRealtime', 'true'],
  ['RestrictAddressFamilies', 'AF_INET AF_INET6 AF_NETLINK AF_UNIX'],
  ['SystemCallArchitectures', 'native'],
  ['SystemCallErrorNumber', 'EPERM'],
];

/** Source: systemd.exec(5), "Sandboxing"; capabilities(7). */
const sandboxes: Readonly<Record<EdgeLiteRole, Settings>> = {
  hub: [
    ...everywhere,
    ['SystemCallFilter', '@system-service'],
    // The link-local address; ports below 1024.
    ['CapabilityBoundingSet', 'CAP_NET_ADMIN CAP_NET_BIND_SERVICE'],
    ['UMask', '0077'],
    ['ProtectSystem', 'strict'],
    ['ProtectHome', 'true'],
    ['ProtectProc', 'invisible'],
    ['PrivateTmp', 'true'],
    ['PrivateDevices', 'true'],
    ['ProtectKernelTunables', 'true'],
    ['ProtectKernelModules', 'true'],
    ['ProtectKernelLogs', 'true'],
    ['ProtectControlGroups', 'true'],
    ['RestrictSUIDSGID', 'true'],
  ],
  // The volumes of pods are mounted in it and have to be seen outside: so nothing that would make its mounts its own. It
  // gives folders to groups (fsGroup), so RestrictSUIDSGID is not for it.
  lite: [
    ...everywhere,
    ['SystemCallFilter', '@system-service @mount'],
    [
      'CapabilityBoundingSet',
      'CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_NET_ADMIN CAP_NET_BIND_SERVICE CAP_SYS_ADMIN CAP_SYS_PTRACE',
    ],
  ],
};

const lines = (settings: Settings): string => settings.map(([name, value]) => `${name}=${value}\n`).join('');

/** The text of `edge-lite.service`. Pure. Works with systemd 247 and later. */
export function edgeLiteUnit({ role, executable = places.executable }: EdgeLiteUnitOptions): string {
  const start: Settings = [['ExecStart', `${executable} run --config ${places.config}`]];
  // It works without a network, so it does not wait for one.
  const unit: Settings = [
    ['Description', descriptions[role]],
    ['After', 'network.target containerd.service'],
    ['ConditionPathExists', places.config],
    ['StartLimitIntervalSec', '0'],
  ];
  return `[Unit]
${lines(unit)}
[Service]
${lines([...start, ...life, ...memory, ...sandboxes[role]])}
[Install]
WantedBy=multi-user.target
`;
}
