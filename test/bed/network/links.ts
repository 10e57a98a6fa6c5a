/** Names of interfaces inside the namespaces. */
export const links = { wanBridge: 'wan', lanBridge: 'lan', wanUplink: 'wan0', nodeUplink: 'eth0' } as const;
