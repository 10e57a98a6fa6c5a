/** Where the token is until the node has joined. */
export const tokenFile = '/etc/selvedge/token';

/** What the steps of a lite node send, by its name among `ExecutorDeps.sources`. */
export const sourceNames = { program: 'edge-lite', token: 'token' } as const;
