/** What a command is going to do: shown before its first change, and all that `--dry-run` prints. */
export interface Plan {
  /** `convert 3 nodes`. */
  readonly title: string;
  /** In the order in which they are done. */
  readonly parts: readonly PlanPart[];
  /** What a person should know before they say yes. */
  readonly warnings: readonly string[];
}

export interface PlanPart {
  /** `cluster`, `node shop-1`. */
  readonly where: string;
  readonly changes: readonly PlannedChange[];
}

export interface PlannedChange {
  /** Begins with a verb: `edit /etc/kubernetes/kubelet.conf`. */
  readonly what: string;
  /** Lines below it, those of a diff for instance. */
  readonly detail?: readonly string[];
}

/** True if everything is as it shall be. */
export const isDone = (plan: Plan): boolean => plan.parts.every(({ changes }) => changes.length === 0);
