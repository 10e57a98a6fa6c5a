import { describe } from 'vitest';
import { fuzzHub } from './hub-fuzz-suite.ts';

describe('a hub that is asked anything for long', () => {
  fuzzHub({ runs: 5_000, resets: 30 });
});
