export type { CliHost, Output } from './host.ts';
export { runCli } from './run.ts';
