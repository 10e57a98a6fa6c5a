/** Labels that Selvedge sets. Their values are what Kubernetes allows: at most 63 characters of `A-Za-z0-9-_.`. */
export const labels = {
  /** On a Node: the version of the edge-lite that runs it. Written by the node itself. */
  nodeVersion: 'node.selvedge.io/version',
  /** On objects that a program made and may delete again: which one. Source: kubernetes.io "Recommended Labels". */
  managedBy: 'app.kubernetes.io/managed-by',
  /** On a Lease: what its holder is (`tunnel-server`). */
  component: 'selvedge.io/component',
} as const;
