import { z } from 'zod';

/**
 * What is held against the schemas of edgeunits and unitapps anew: how much there may be of what costs time. The API server has
 * done so before it asks; whoever else reaches the port has not.
 */
const few = <T extends z.ZodType>(max: number, item: T) => z.array(item).max(max).optional();

const moment = z.looseObject({ cron: z.string().max(120), timeZone: z.string().max(64).optional() });

const edgeUnits = z.looseObject({
  members: z.looseObject({ names: few(1_000, z.string()) }).optional(),
  maintenanceWindows: few(16, moment),
});

const override = z.looseObject({
  units: few(1_000, z.string()),
  containers: few(16, z.unknown()),
  jsonPatch: few(64, z.unknown()),
});

const unitApps = z.looseObject({
  configMaps: few(16, z.unknown()),
  secrets: few(16, z.unknown()),
  overrides: few(256, override),
  scaling: z.looseObject({ schedules: few(32, moment) }).optional(),
  rollout: z.looseObject({ waves: few(16, z.unknown()) }).optional(),
  unmanagedFields: few(32, z.string()),
});

/** By resource; others have nothing that costs time. */
export const boundsOf: Readonly<Record<string, z.ZodType>> = {
  edgeunits: edgeUnits.optional(),
  unitapps: unitApps,
};
