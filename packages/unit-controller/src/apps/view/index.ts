export { followApps, type AppObjects, type AppReaders, type ChildReader } from './app-readers.ts';
export { AppView, type Made } from './app-view.ts';
