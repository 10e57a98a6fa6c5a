/** Since when and where nobody could ask the cloud. */
export interface Autonomy {
  readonly nodeName: string;
  readonly sinceMs: number;
}

/** RFC 3339, seconds. */
export const timeText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** The header with which clients show that an answer may be old. Source: RFC 7234 §5.5; KEP-1693 "Warnings". */
export function staleHeaders({ nodeName, sinceMs }: Autonomy): Readonly<Record<string, string>> {
  const text = `node ${nodeName} is autonomous since ${timeText(sinceMs)}: this may be older than what the cluster has`;
  return { warning: `299 selvedge ${JSON.stringify(text)}` };
}
