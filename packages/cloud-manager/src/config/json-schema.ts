import { z } from 'zod';
import { configSchema } from './schema.ts';

/** The config as JSON Schema (draft 7), as far as that can say it: names, types, bounds; not how texts are made up. */
export const configJsonSchema = (): object => {
  const options = { io: 'input', unrepresentable: 'any', target: 'draft-07' } as const;
  const { $schema: _, ...schema } = z.toJSONSchema(configSchema, options);
  return schema;
};
