export { createHistory, type History, type KeptHistory } from './history.ts';
export { createKeeper, type Keeper, type KeeperDeps } from './keeper.ts';
