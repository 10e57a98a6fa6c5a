export { admit, type AdmissionContext } from './admit.ts';
