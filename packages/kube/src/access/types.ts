/** Who sent a request, as the API server would name it. Source: kubernetes.io "Authenticating". */
export interface UserInfo {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What somebody wants to do. Source: `authorization.k8s.io/v1` ResourceAttributes. */
export type AccessAttributes =
  | {
      readonly kind: 'resource';
      readonly verb: string;
      readonly group: string;
      readonly version: string;
      readonly resource: string;
      readonly subresource: string;
      readonly namespace: string;
      readonly name: string;
      readonly labelSelector: string;
      readonly fieldSelector: string;
    }
  | { readonly kind: 'nonResource'; readonly verb: string; readonly path: string };

export interface AccessDecision {
  readonly allowed: boolean;
  /** As the API server gave it. */
  readonly reason: string;
}

/** Whether a user may do something. */
export interface AccessQuestion {
  readonly user: UserInfo;
  readonly attributes: AccessAttributes;
}
