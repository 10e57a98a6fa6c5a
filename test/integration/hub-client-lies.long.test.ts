import { test } from 'vitest';
import { lieToHub } from './hub-lies-suite.ts';

test('what the cloud cuts short or makes up is not believed, and costs no change', {
  timeout: 1_200_000,
}, async () => {
  await lieToHub(15);
});
