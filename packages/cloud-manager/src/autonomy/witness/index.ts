export { createWitness, witnessPath } from './witness.ts';
