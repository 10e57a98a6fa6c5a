/** Of everything that this program writes in the cluster. Source: kubernetes.io "Server-Side Apply", "Managers". */
export const fieldManager = 'selvedge-installer';
