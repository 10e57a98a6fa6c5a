export { createRefresher } from './refresher.ts';
