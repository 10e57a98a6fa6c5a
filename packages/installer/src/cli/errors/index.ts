export { exitCodeOf, exitCodes, type ExitCode } from './exit-codes.ts';
export { problemOf, problemText, type Problem } from './problem.ts';
