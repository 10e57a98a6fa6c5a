import { createHash } from 'node:crypto';

/** A long-running program, as a unit. */
export interface DaemonUnit {
  readonly name: string;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What else, once changed, makes it another unit. */
  readonly config?: string;
}

/** One word of a unit's line. Source: systemd.service(5), "Command lines"; systemd.unit(5), "Specifiers". */
export function unitWord(word: string): string {
  const escaped = word
    .replaceAll(/["\\]/g, '\\$&')
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$')
    .replaceAll('\n', '\\n');
  return `"${escaped}"`;
}

/**
 * The text of `NAME.service`. It delegates its cgroup and ends no child of the program: containerd's shims outlive
 * containerd, as with Debian's own unit.
 */
export function renderUnit({ name, argv, env = {}, config = '' }: DaemonUnit): string {
  const variables = Object.entries(env).map(([key, value]) => `Environment=${unitWord(`${key}=${value}`)}`);
  const hash = createHash('sha256').update(config).digest('hex').slice(0, 16);
  return `# configuration ${hash}
[Unit]
Description=${name} of the testbed
After=network.target${name === 'containerd' ? '' : ' containerd.service'}
StartLimitIntervalSec=0

[Service]
${variables.map((line) => `${line}\n`).join('')}ExecStart=${argv.map(unitWord).join(' ')}
Restart=always
RestartSec=1
Delegate=yes
KillMode=process
TimeoutStopSec=90
LimitNOFILE=infinity

[Install]
WantedBy=multi-user.target
`;
}
