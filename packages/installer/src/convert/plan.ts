import type { Plan, PlannedChange } from '../command/index.ts';
import { describeSteps } from '../node-plan/index.ts';
import type { Step } from '../steps/index.ts';
import type { Finding } from './survey.ts';

/** The cloud's part of a plan. */
export type CloudSide = Pick<Plan, 'parts' | 'warnings'>;

/** A node that is worked on. */
export type Workable = Extract<Finding, { kind: 'new' | 'begun' }>;

export const isWorkable = (finding: Finding): finding is Workable =>
  finding.kind === 'new' || finding.kind === 'begun';

/** Shown for each node, after what changes on its machine. */
const seen: PlannedChange = {
  what: 'verify from the cloud that it is Ready through its hub and that no container restarted; otherwise roll back',
};

function changesOf(finding: Workable, steps: readonly Step[]): readonly PlannedChange[] {
  if (finding.kind === 'new') return [...describeSteps(steps), seen];
  const left = finding.run.steps.filter(({ progress }) => progress.kind !== 'done');
  return [
    { what: `resume an interrupted run: ${left.length} of ${finding.run.steps.length} steps left` },
    ...describeSteps(left.map(({ step }) => step)),
    seen,
  ];
}

function titleOf(nodes: number, cloud: CloudSide): string {
  const count = nodes === 1 ? '1 node' : `${nodes} nodes`;
  if (nodes === 0) return 'set up the cloud side';
  return cloud.parts.some(({ changes }) => changes.length > 0)
    ? `set up the cloud side and convert ${count}`
    : `convert ${count}`;
}

/** What a conversion is going to do. `stepsOf`: those of a node that was never begun. Pure. */
export function convertPlan(
  findings: readonly Finding[],
  cloud: CloudSide,
  stepsOf: (finding: Workable) => readonly Step[],
): Plan {
  const workable = findings.filter(isWorkable);
  const refusals = findings.flatMap((one) =>
    one.kind === 'refused' ? [`${one.node.name} is skipped: ${one.why}`] : [],
  );
  const parts = workable.map((one) => ({
    where: `node ${one.node.name}`,
    changes: changesOf(one, stepsOf(one)),
  }));
  return {
    title: titleOf(workable.length, cloud),
    parts: [...cloud.parts, ...parts],
    warnings: [...cloud.warnings, ...refusals],
  };
}
