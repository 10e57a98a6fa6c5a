/** `metav1.Condition`, as our statuses have it. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number | undefined;
}

export type NewCondition = Omit<Condition, 'lastTransitionTime'>;

/** RFC 3339 without fractions, as Kubernetes writes it. */
export const timestamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** The conditions in place of those before: one whose status is the same has it since the same time. Pure. */
export function transitioned(
  before: readonly Condition[] | undefined,
  after: readonly NewCondition[],
  now: string,
): readonly Condition[] {
  return after.map((condition) => {
    const last = before?.find(({ type }) => type === condition.type);
    const since = last?.status === condition.status ? last.lastTransitionTime : now;
    return { ...condition, lastTransitionTime: since };
  });
}
