import type { UnitAppSpec } from '@selvedge/api';
import { imageRefs } from '@selvedge/bed';
import { type RenderInput, renderShared, renderUnit, valuesOf } from '@selvedge/unit-controller';
import { shell, webServer } from './pods.ts';

const template = {
  metadata: {},
  spec: {
    terminationGracePeriodSeconds: 1,
    tolerations: [{ operator: 'Exists' }],
    containers: [webServer()],
  },
};

/** A UnitApp whose pods are known to each other, and to all in their unit, by short names. */
const database: UnitAppSpec = {
  unitSelector: {},
  template: { kind: 'StatefulSet', spec: { replicas: 1, template } },
  service: { shared: true, spec: { ports: [{ name: 'http', port: 8080 }] } },
};

/** What the UnitApp `db` is in these units. */
export function databaseObjects(namespace: string, units: readonly string[]): readonly object[] {
  const input: RenderInput = { app: { metadata: { name: 'db', namespace } }, spec: database };
  const children = [
    ...renderShared(input),
    ...units.flatMap((name) => renderUnit(input, valuesOf({ metadata: { name }, spec: {} }))),
  ];
  // There is no UnitApp: what it would own is the test's.
  return children.map(({ object: { metadata, ...rest } }) => {
    const { ownerReferences: _, ...kept } = metadata;
    return { ...rest, metadata: kept };
  });
}

/** Asks each name over and over, as a program in a pod does, and says who answers. */
export const asker = (names: readonly string[]): ReturnType<typeof shell> =>
  shell(
    `trap 'exit 0' TERM
while :; do
  for name in ${names.join(' ')}; do
    echo "$name $(timeout 3 wget -q -O - http://$name/hostname || echo nobody)"
  done
  sleep 0.2 & wait
done`,
    { image: imageRefs.busybox },
  );

/** The last that an asker has said of a name. */
export const lastAnswer = (log: string, name: string): string | undefined =>
  Array.from(log.matchAll(/ F (\S+) (\S+)$/gm))
    .findLast(([, asked]) => asked === name)
    ?.at(2);
