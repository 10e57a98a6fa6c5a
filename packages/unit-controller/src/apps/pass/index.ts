export { Carrier } from './carrier.ts';
export { lookAt, type Look, type LookDeps } from './look.ts';
export { Reporter } from './reporter.ts';
export { Sweeper } from './sweeper.ts';
