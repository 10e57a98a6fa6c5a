/** A DNS subdomain of RFC 1123. Source: kubernetes.io "Object Names and IDs". */
const pattern = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Whether a Node may be called so. */
export const isNodeName = (name: string): boolean => pattern.test(name);
