export {
  contentWith,
  keptRevision,
  objectsOf,
  storedRevisionOf,
  type StoredRevision,
} from './stored-revision.ts';
