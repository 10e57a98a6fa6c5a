export { Carrier } from './carrier.ts';
export { lookAt, selectorProblemOf, type Look, type LookDeps } from './look.ts';
export { Reporter } from './reporter.ts';
export { Sweeper } from './sweeper.ts';
