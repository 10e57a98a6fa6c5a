import type { Service } from '@selvedge/kit';
import { originating } from './exit-code.ts';

/** Files that cannot be used are a matter of the config. */
export const configured = (files: Service): Service => ({
  name: files.name,
  start: (signal) => originating('config', () => files.start(signal)),
  stop: () => files.stop(),
});
