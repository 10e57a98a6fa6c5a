import { SelvedgeError, createMetricsRegistry } from '@selvedge/kit';
import { createManualClock, recordingLogger } from '@selvedge/kit/testing';
import { expect, it } from 'vitest';
import { hubRequest } from './forward/testing.ts';
import { carefully, createKeep } from './keep.ts';
import { type ResourceRequest, parseRequestInfo } from './request-info/index.ts';

it('an answer that cannot be kept is given all the same', () => {
  const log = recordingLogger();
  const metrics = createMetricsRegistry();
  const keep = createKeep({ clock: createManualClock(), log, metrics });
  const answer = { status: 201, headers: {}, body: Buffer.from('{}') };
  const memory = carefully(
    {
      heard() {
        throw new SelvedgeError('the disk is full', { code: 'ResourceExhausted' });
      },
      recall: () => answer,
    },
    'token',
    keep,
  );
  const request = hubRequest('POST', '/api/v1/namespaces/a/serviceaccounts/default/token', { body: {} });
  const about = parseRequestInfo(request.method, request.path, request.query) as ResourceRequest;
  memory.heard(request, about, answer);
  memory.heard(request, about, answer);
  expect(memory.recall(request, about)).toBe(answer);
  expect(log.lines.map(({ level }) => level)).toEqual(['warn']);
  expect(metrics.render()).toContain('selvedge_hub_answers_not_kept_total{what="token"} 2');
});
