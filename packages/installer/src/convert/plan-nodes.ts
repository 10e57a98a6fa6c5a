import { SelvedgeError } from '@selvedge/kit';
import type { CloudTunnel } from '../cloud/index.ts';
import type { OnFailure } from '../cluster/index.ts';
import type { Step } from '../steps/index.ts';
import type { Workable } from './plan.ts';
import { type Finding, refusedBy } from './survey.ts';

/** What makes the steps of a node that was never begun. */
export interface NodeSteps {
  /** `tunnel`: what nodes are told of the cloud. */
  steps(finding: Workable, tunnel: CloudTunnel): Promise<readonly Step[]>;
}

/** What is to be done about the nodes, and the steps of those that were never begun. */
export interface PlannedNodes {
  readonly findings: readonly Finding[];
  readonly stepsOf: (finding: Workable) => readonly Step[];
}

interface Planning {
  readonly work: NodeSteps;
  readonly tunnel: CloudTunnel;
  readonly onFailure: OnFailure;
}

interface Planned {
  readonly finding: Finding;
  readonly steps: readonly Step[];
}

async function planOne(finding: Finding, { work, tunnel, onFailure }: Planning): Promise<Planned> {
  if (finding.kind !== 'new') return { finding, steps: [] };
  try {
    return { finding, steps: await work.steps(finding, tunnel) };
  } catch (error) {
    if (onFailure === 'stop' || !(error instanceof SelvedgeError)) throw error;
    return { finding: refusedBy(finding.node, error), steps: [] };
  }
}

/**
 * Plans the nodes that were never begun. One that cannot be planned, for instance as the release has nothing for its architecture,
 * is refused, or ends the run if failures shall. Changes nothing.
 */
export async function planNodes(findings: readonly Finding[], planning: Planning): Promise<PlannedNodes> {
  const planned = await Promise.all(findings.map((finding) => planOne(finding, planning)));
  const steps = new Map(planned.map(({ finding: { node }, steps: own }) => [node.name, own]));
  return {
    findings: planned.map(({ finding }) => finding),
    stepsOf: ({ node }) => steps.get(node.name) ?? [],
  };
}
