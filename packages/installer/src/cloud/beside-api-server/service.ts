import { paths, socketFolder } from './config.ts';

/**
 * The text of `cloud-manager.service`, a process beside an API server; docs/tasks/cloud-manager.md. Pure. Works with systemd
 * 247 and later.
 */
export function managerUnit(): string {
  return `[Unit]
Description=Selvedge cloud-manager
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=${paths.program} run --config ${paths.config}
# Made by: systemd-sysusers --inline 'u cloud-manager - "Selvedge cloud-manager"'
User=cloud-manager
# The tunnel's port 443.
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
# ${socketFolder}, with the socket of the egress. It stays: the API server has the very folder mounted.
RuntimeDirectory=selvedge
RuntimeDirectoryPreserve=yes
Restart=always
RestartSec=2
# 2: the config is wrong. Trying again does not help.
RestartPreventExitStatus=2
# Above drainSeconds of the config.
TimeoutStopSec=90
LimitNOFILE=1048576
LimitCORE=0
NoNewPrivileges=true
ProtectSystem=strict
ProtectHome=true
PrivateTmp=true
PrivateDevices=true
ProtectKernelTunables=true
ProtectKernelModules=true
ProtectControlGroups=true
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=true
LockPersonality=true
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
`;
}
