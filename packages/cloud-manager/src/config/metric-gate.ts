import { z } from 'zod';
import { file, text } from './fields.ts';

const isMetricUrl = (value: string): boolean => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) return false;
  return `${url.username}${url.password}${url.search}${url.hash}` === '';
};

const isSecure = (url: string): boolean => new URL(url).protocol === 'https:';

const server = z
  .strictObject(
    {
      url: text('an http:// or https:// URL without user or query', isMetricUrl),
      caFile: file.optional(),
      bearerTokenFile: file.optional(),
    },
    'a mapping with url',
  )
  .refine(
    ({ url, caFile, bearerTokenFile }) =>
      isSecure(url) || (caFile === undefined && bearerTokenFile === undefined),
    'with caFile or bearerTokenFile, an https:// URL',
  );

/** The servers that health gates of UnitApps may ask for a metric. */
export const metricGate = z.strictObject(
  { servers: z.array(server, 'a list of servers').max(16, 'at most 16 servers').default([]) },
  'a mapping',
);
