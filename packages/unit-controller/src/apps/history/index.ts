export { createHistory, type History, type KeptHistory } from './history.ts';
export { keptRevision, type StoredRevision } from './stored-revision.ts';
