import { describe } from 'vitest';
import { fuzzHub } from './hub-fuzz-suite.ts';

describe('a hub that is asked anything', () => {
  fuzzHub({ runs: 150, resets: 8 });
});
