export { createTrafficDefaults } from './defaults.ts';
