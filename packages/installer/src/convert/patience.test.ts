import { createManualClock } from '@selvedge/kit/testing';
import { expect, it } from 'vitest';
import { createPatience } from './patience.ts';

const fault = { what: 'Services are silent', hint: 'look at them' };

it('a fault is borne for half a minute, and again from its start once it was gone', async () => {
  const clock = createManualClock();
  const patience = createPatience(clock);
  expect(patience.meet(fault)).toEqual([fault.what]);
  await clock.advance(29_000);
  expect(patience.meet(fault)).toEqual([fault.what]);
  patience.forget(fault.what);
  await clock.advance(2_000);
  expect(patience.meet(fault)).toEqual([fault.what]);
  await clock.advance(30_000);
  expect(() => patience.meet(fault)).toThrow(expect.objectContaining({ code: 'Conflict', hint: fault.hint }));
});
