import type { HostPort } from '@selvedge/kit/net';
import type { KubeClient } from '@selvedge/kube';
import type { NodeChoice } from '../cluster/index.ts';
import type { CommandContext } from '../command/index.ts';
import type { Hosts } from '../host/index.ts';

/** `error`: converting will not work; `warning`: it will, with a loss; `info`: worth knowing. */
export type Severity = 'error' | 'warning' | 'info';

/** Something that a check found. Plain JSON. */
export interface Finding {
  /** Stable; all of them: docs/reference/findings.md. */
  readonly id: string;
  readonly severity: Severity;
  /** `cluster`, or `node shop-1`. */
  readonly where: string;
  readonly what: string;
  readonly why: string;
  /** What to do, a command where there is one. Empty: nothing has to be done. */
  readonly mend: string;
}

export interface CheckOptions {
  /** Which nodes. Default: all that are no control planes. */
  readonly choice?: NodeChoice;
  /** Whether nodes reach them is looked at. Default: none. */
  readonly tunnelServers?: readonly HostPort[];
}

export interface CheckDeps extends CommandContext {
  readonly cluster: KubeClient;
  /** The way to machines. Undefined: only what the API server tells is looked at. */
  readonly hosts?: Hosts | undefined;
}

/** Plain JSON. */
export interface CheckResult {
  /** `host:port` of the API server. */
  readonly server: string;
  /** Its version, empty if it did not answer. */
  readonly version: string;
  /** Names of the nodes that were checked. */
  readonly nodes: readonly string[];
  /** Names of those whose machine was looked at, too. */
  readonly machines: readonly string[];
  readonly counts: Readonly<Record<Severity, number>>;
  /** The worst first. */
  readonly findings: readonly Finding[];
}
