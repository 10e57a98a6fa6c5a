export { peersOf } from './peers.ts';
export { Testimonies, type Testimony } from './testimonies.ts';
