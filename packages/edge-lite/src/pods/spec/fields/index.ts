export { refusals, type Refusal } from './refusals.ts';
