/** Labels that Selvedge sets. Their values are what Kubernetes allows: at most 63 characters of `A-Za-z0-9-_.`. */
export const labels = {
  /** On a Node: the version of the edge-lite that runs it. Written by the node itself. */
  nodeVersion: 'node.selvedge.io/version',
} as const;
