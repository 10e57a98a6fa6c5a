import type { HostPort } from '@selvedge/kit/net';
import type { KubeClient } from '@selvedge/kube';
import type { NodeChoice } from '../cluster/index.ts';
import type { CommandContext } from '../command/index.ts';
import type { Hosts } from '../host/index.ts';

/** `error`: converting will not work; `warning`: it will, with a loss; `info`: worth knowing. */
export type Severity = 'error' | 'warning' | 'info';

/** One finding of a check. Plain JSON. */
export interface Finding {
  /** Stable; all of them: docs/reference/findings.md. */
  readonly id: string;
  readonly severity: Severity;
  /** `cluster`, or `node shop-1`. */
  readonly where: string;
  readonly what: string;
  readonly why: string;
  /** What to do, a command where there is one. Empty: nothing has to be done. */
  readonly fix: string;
}

/** What a person chose for a check. */
export interface CheckOptions {
  /** The nodes to check. Default: all but control-plane nodes. */
  readonly choice?: NodeChoice;
  /** Whether nodes reach them is looked at. Default: none. */
  readonly tunnelServers?: readonly HostPort[];
}

/** What `check` works with. */
export interface CheckDeps extends CommandContext {
  readonly cluster: KubeClient;
  /** The way to machines. Undefined: only the API server is queried. */
  readonly hosts?: Hosts | undefined;
}

/** The result of `check`. Plain JSON: what `selvedge check --json` prints. */
export interface CheckResult {
  /** `host:port` of the API server. */
  readonly server: string;
  /** The version of the API server, empty if it did not answer. */
  readonly version: string;
  /** Names of the nodes that were checked. */
  readonly nodes: readonly string[];
  /** Names of those whose machine was inspected too. */
  readonly machines: readonly string[];
  readonly counts: Readonly<Record<Severity, number>>;
  /** The worst first. */
  readonly findings: readonly Finding[];
}
