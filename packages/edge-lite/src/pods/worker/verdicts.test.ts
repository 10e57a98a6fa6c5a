import { describe, expect, it } from 'vitest';

import { containerOf, exited, observedOf, running, sandboxOf } from '../plan/testing.ts';
import { verdictsOf } from './verdicts.ts';

const observed = observedOf([sandboxOf()], [containerOf('main', running), containerOf('done', exited(0))]);
const reported = (id: string, ready: boolean) => ({
  containerStatuses: [
    {
      name: 'main',
      containerID: `containerd://${id}`,
      ready,
      started: true,
      image: '',
      imageID: '',
      restartCount: 0,
    },
  ],
});

describe('what probes say', () => {
  it('is asked of running containers only', () => {
    const verdicts = verdictsOf(observed, () => ({ liveness: true }), undefined);
    expect([...verdicts]).toEqual([['main-0', { liveness: true }]]);
  });

  it('is what was reported of the same container until they have said something', () => {
    const silent = () => ({});
    expect(verdictsOf(observed, silent, reported('main-0', true)).get('main-0')).toEqual({
      startup: true,
      readiness: true,
    });
    expect(verdictsOf(observed, silent, reported('main-9', true)).get('main-0')).toEqual({});
    expect(
      verdictsOf(observed, () => ({ readiness: false }), reported('main-0', true)).get('main-0'),
    ).toEqual({
      startup: true,
      readiness: false,
    });
  });
});
