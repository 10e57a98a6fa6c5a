import type { CloudPlan, CloudResult } from '../cloud/index.ts';
import type { ClusterClient } from '../cluster/index.ts';
import type { CommandContext, Progress } from '../command/index.ts';
import type { Hosts } from '../host/index.ts';
import type { NodeSteps } from './plan-nodes.ts';
import type { Knowing } from './survey.ts';

/** The cloud's part of a conversion. */
export interface CloudWork {
  /** `edge`: names of Nodes that are, or become, edge nodes. */
  plan(edge: readonly string[]): Promise<CloudPlan>;
  apply(plan: CloudPlan, progress: Progress): Promise<CloudResult>;
}

/** What knows machines and makes their steps. */
export interface NodeWork extends Knowing, NodeSteps {
  /** The content of what steps send, by its name there. */
  source(name: string, signal: AbortSignal): Promise<Uint8Array>;
}

export interface ConvertEngineDeps extends CommandContext {
  readonly cluster: ClusterClient;
  readonly hosts: Hosts;
  readonly cloud: CloudWork;
  readonly nodes: NodeWork;
  /** Where things are kept on machines. Default: as everywhere. */
  readonly folder?: string;
}
