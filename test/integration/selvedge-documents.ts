import { z } from 'zod';

/** What `--json` prints, as docs/reference/selvedge.md says it. Nothing else is in it. */

const header = <const K extends string>(kind: K) => ({
  apiVersion: z.literal('cli.selvedge.io/v1alpha1'),
  kind: z.literal(kind),
});
const id = z.string().regex(/^[a-z0-9]{6}$/);
const time = z.iso.datetime();
const scope = {
  description: z.string().optional(),
  nodes: z.array(z.string()),
  unit: z.string().optional(),
};

const plan = {
  title: z.string(),
  parts: z.array(
    z.strictObject({
      where: z.string(),
      changes: z.array(z.strictObject({ what: z.string(), detail: z.array(z.string()).optional() })),
    }),
  ),
  warnings: z.array(z.string()),
};

const counts = z.strictObject({ error: z.int(), warning: z.int(), info: z.int() });
const finding = z.strictObject({
  id: z.string(),
  severity: z.enum(['error', 'warning', 'info']),
  where: z.string(),
  what: z.string(),
  why: z.string(),
  fix: z.string(),
});
const containers = z.strictObject({
  before: z.int(),
  same: z.int(),
  restarted: z.array(z.string()),
  left: z.array(z.string()),
});

/** Of other commands' own making: that they are there. */
const part = z.looseObject({});

export const documents = {
  CheckResult: z.strictObject({
    ...header('CheckResult'),
    server: z.string(),
    version: z.string(),
    nodes: z.array(z.string()),
    machines: z.array(z.string()),
    counts,
    findings: z.array(finding),
  }),
  StatusResult: z.strictObject({
    ...header('StatusResult'),
    server: z.string(),
    away: z.string().optional(),
    cloud: part,
    units: z.array(z.strictObject({ name: z.string(), counts: part.optional() })),
    nodes: z.array(
      z.strictObject({
        name: z.string(),
        kind: z.enum(['stock', 'converted', 'lite', 'half-done', 'damaged', 'unknown']),
        unit: z.string().optional(),
        ready: z.boolean().optional(),
        state: z.string().optional(),
        banned: z.boolean().optional(),
        hub: part.optional(),
        sessions: z.int().optional(),
        versions: part,
        machine: part.optional(),
      }),
    ),
    unread: z.array(z.strictObject({ right: part, why: z.string() })),
  }),
  SupportDumpResult: z.strictObject({
    ...header('SupportDumpResult'),
    file: z.string(),
    bytes: z.int(),
    entries: z.array(z.strictObject({ path: z.string(), bytes: z.int(), cut: z.boolean() })),
    missing: z.array(z.strictObject({ what: z.string(), why: z.string() })),
  }),
  JoinResult: z.strictObject({
    ...header('JoinResult'),
    outcome: z.enum(['joined', 'unchanged']),
    node: z.string(),
    unit: z.string().optional(),
    totalMs: z.number().optional(),
    warnings: z.array(z.string()),
  }),
  ResetResult: z.strictObject({
    ...header('ResetResult'),
    outcome: z.enum(['reset', 'unchanged']),
    node: z.string().optional(),
    nodeObject: z.enum(['deleted', 'left']).optional(),
    totalMs: z.number().optional(),
    warnings: z.array(z.string()),
  }),
  ConvertResult: z.strictObject({
    ...header('ConvertResult'),
    outcome: z.enum(['done', 'unchanged', 'partly', 'failed', 'declined']),
    cloud: part.optional(),
    nodes: z.array(
      z.strictObject({
        node: z.string(),
        unit: z.string().optional(),
        layout: z.string().optional(),
        outcome: z.enum([
          'converted',
          'unchanged',
          'rolled-back',
          'interrupted',
          'failed',
          'refused',
          'not-begun',
        ]),
        reason: z.string().optional(),
        hint: z.string().optional(),
        durations: z
          .strictObject({ totalMs: z.number(), unitsMs: z.number(), seenMs: z.number() })
          .optional(),
        containers: containers.optional(),
      }),
    ),
  }),
  RevertResult: z.strictObject({
    ...header('RevertResult'),
    outcome: z.enum(['done', 'unchanged', 'partly', 'declined']),
    cloud: z.enum(['reverted', 'unchanged', 'left']),
    left: z.array(z.string()).optional(),
    nodes: z.array(
      z.strictObject({
        node: z.string(),
        unit: z.string().optional(),
        outcome: z.enum(['reverted', 'unchanged', 'failed', 'damaged', 'not-begun']),
        verified: z.boolean().optional(),
        reason: z.string().optional(),
        hint: z.string().optional(),
        known: z.array(z.string()).optional(),
        notes: z.array(z.string()).optional(),
        totalMs: z.number().optional(),
        unitsMs: z.number().optional(),
        containers: containers.optional(),
      }),
    ),
  }),
  Plan: z.strictObject({ ...header('Plan'), ...plan }),
  TokenCreated: z.strictObject({
    ...header('TokenCreated'),
    ...scope,
    id,
    token: z.string().regex(/^[a-z0-9]{6}\.[a-z0-9]{16}$/),
    expiresAt: time,
    server: z.url(),
    caHash: z.string().regex(/^sha256:[0-9a-f]{64}$/),
    tunnelServers: z.array(z.string()),
    join: z.array(z.string()),
  }),
  TokenList: z.strictObject({
    ...header('TokenList'),
    tokens: z.array(
      z.strictObject({
        ...scope,
        id,
        expiresAt: time.optional(),
        isExpired: z.boolean(),
        groups: z.array(z.string()),
      }),
    ),
  }),
  TokensDeleted: z.strictObject({
    ...header('TokensDeleted'),
    deleted: z.array(id),
    absent: z.array(id),
  }),
  UnitCreated: z.strictObject({ ...header('UnitCreated'), unit: z.string(), isNew: z.boolean() }),
  UnitList: z.strictObject({
    ...header('UnitList'),
    units: z.array(
      z.strictObject({
        name: z.string(),
        members: z.array(z.strictObject({ name: z.string(), state: z.string().optional() })),
        missing: z.int(),
        connected: z.int(),
        isSettled: z.boolean().optional(),
        conflicts: z.int(),
        autonomy: z.string().optional(),
      }),
    ),
  }),
  NodeMoved: z.strictObject({
    ...header('NodeMoved'),
    node: z.string(),
    unit: z.string(),
    left: z.array(z.string()),
  }),
} as const;

/** Sees that the result of a command is what `--json` may print of that kind, and gives it back. */
export function documented<R extends object>(kind: keyof typeof documents, result: R): R {
  const printed: unknown = JSON.parse(JSON.stringify(result));
  documents[kind].parse(Object.assign({ apiVersion: 'cli.selvedge.io/v1alpha1', kind }, printed));
  return result;
}

/** Each line of stderr. */
export const progressLine = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('Task'),
    time,
    id: z.int(),
    parent: z.int().optional(),
    path: z.array(z.string()).min(1),
    state: z.enum(['started', 'noted', 'done', 'failed', 'stopped']),
    text: z.string().optional(),
    durationMs: z.number().optional(),
  }),
  z.strictObject({ kind: z.literal('Message'), time, text: z.string() }),
  z.strictObject({ kind: z.literal('Plan'), time, ...plan }),
  z.strictObject({
    kind: z.literal('Error'),
    time,
    code: z.string(),
    what: z.string(),
    why: z.array(z.string()),
    next: z.string().min(1),
  }),
]);
