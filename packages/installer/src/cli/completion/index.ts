export { bashCompletion } from './bash.ts';
export { fishCompletion } from './fish.ts';
export { completedCommands, type CompletedCommand, type CompletedFlag } from './words.ts';
export { zshCompletion } from './zsh.ts';
