export { tunnelFiles, tunnelModule } from './node-side.ts';
