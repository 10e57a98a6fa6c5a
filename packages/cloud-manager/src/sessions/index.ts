export { createCleaner } from './cleaner.ts';
export { type Holder, holdersOf } from './holders.ts';
export { createPresence } from './presence.ts';
export { createSessionReporter } from './reporter.ts';
export { serverSelector, type ServerAddresses } from './server-lease.ts';
export { createServers, type Servers } from './servers.ts';
export { createSessionWriter, type SessionWriter } from './writer.ts';
