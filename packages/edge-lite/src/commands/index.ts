export { clearCommand } from './clear-command.ts';
export { statusCommand, type Status } from './status-command.ts';
