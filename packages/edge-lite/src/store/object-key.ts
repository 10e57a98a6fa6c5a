/** Names one API object. */
export interface ObjectKey {
  /** The plural with its group, as `resourceName` of the client says it: `services`, `services.serving.knative.dev`. */
  readonly resource: string;
  /** Empty when cluster-scoped. */
  readonly namespace: string;
  readonly name: string;
}
