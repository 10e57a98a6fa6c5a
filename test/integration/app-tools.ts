import type { UnitAppRollout, UnitAppSpec, UnitAppUnit } from '@selvedge/api';
import { SelvedgeError } from '@selvedge/kit';
import type { Deployment } from '@selvedge/kube/types';
import type { UnitAppObject } from '@selvedge/unit-controller';

export const rollout: UnitAppRollout = {
  waves: [
    { name: 'canary', unitSelector: { matchLabels: { tier: 'canary' } } },
    { name: 'some', percentage: 60 },
  ],
  maxUnavailableUnits: '100%',
  bakeSeconds: 0,
};

export const specOf = (image: string, more: Partial<UnitAppSpec> = {}): UnitAppSpec => ({
  unitSelector: { matchExpressions: [{ key: 'tier', operator: 'Exists' }] },
  template: {
    kind: 'Deployment',
    spec: { replicas: 1, template: { spec: { containers: [{ name: 'till', image }] } } },
  },
  rollout,
  ...more,
});

export const templateOf = (image: string): Pick<UnitAppSpec, 'template'> => ({
  template: specOf(image).template,
});

export const isAt = (app: UnitAppObject, state: string): boolean =>
  app.status?.observedGeneration === app.metadata.generation && app.status?.rollout?.state === state;

export const unitOf = (app: UnitAppObject, unit: string): UnitAppUnit | undefined =>
  app.status?.units?.find(({ name }) => name === unit);

export const conditionOf = (app: UnitAppObject, wanted: string): string | undefined => {
  const found = app.status?.conditions?.find(({ type }) => type === wanted);
  return found === undefined ? undefined : `${found.status} ${found.reason}`;
};

export const imageOf = (deployment: Deployment | undefined): string | undefined =>
  deployment?.spec?.template.spec?.containers[0]?.image;

/** Writes to clones that were accepted, of a revision. */
export const stepsIn = (writes: readonly string[], app: string, revision: number): readonly string[] =>
  writes.filter((write) => write.startsWith(`PATCH deployments/${app}-`) && write.endsWith(` ${revision}`));

/** Does so many writes and is killed: before the next one is sent, or before its answer comes. */
export class Killer {
  readonly #isAnswerLost: boolean;
  #left: number;
  isDone = false;

  constructor(writes: number, isAnswerLost: boolean) {
    this.#left = writes;
    this.#isAnswerLost = isAnswerLost;
  }

  readonly onWrite = (): void => {
    if (this.#left <= 0) this.#kill();
    this.#left -= 1;
  };

  readonly onAccepted = (): void => {
    if (this.#left <= 0 && this.#isAnswerLost) this.#kill();
  };

  #kill(): never {
    this.isDone = true;
    throw new SelvedgeError('killed', { code: 'Aborted' });
  }
}
