import { expect, it } from 'vitest';
import { SelvedgeError } from './errors.ts';
import { limitRepeats } from './log-repeats.ts';
import { createJsonLogger } from './log.ts';
import { createManualClock, recordingLogger } from './testing.ts';

function logger(level: 'error' | 'info' | 'debug') {
  const lines: string[] = [];
  const log = createJsonLogger({ level }, { clock: createManualClock(), write: (line) => lines.push(line) });
  return { log, parsed: () => lines.map((line): unknown => JSON.parse(line)) };
}

it('writes one JSON document per line with inherited fields', () => {
  const { log, parsed } = logger('info');
  log.with({ node: 'a' }).info('lease renewed', { rv: 12n });
  log.debug('not shown');
  expect(parsed()).toEqual([
    { time: '2026-01-01T00:00:00.000Z', level: 'info', text: 'lease renewed', node: 'a', rv: '12' },
  ]);
});

it('writes errors with code and causes, and redacts', () => {
  const { log, parsed } = logger('error');
  const error = new SelvedgeError('join refused', {
    code: 'Forbidden',
    cause: new Error('Bearer 123456789'),
  });
  log.error('cannot join', { error, url: 'https://u:p@h/' });
  expect(parsed()).toMatchObject([
    {
      error: { code: 'Forbidden', message: 'join refused: Bearer [redacted]' },
      url: 'https://[redacted]@h/',
    },
  ]);
});

it('redacts and writes what lies deep, in fields, lists, details and causes', () => {
  const { log, parsed } = logger('info');
  const bearer = 'Bearer 123456789';
  const inner = new SelvedgeError('inner', { code: 'Internal', details: { said: [bearer] } });
  const error = new SelvedgeError('outer', { code: 'Internal', details: { inner, size: 3n } });
  log.info('deep', { headers: { authorization: bearer }, list: [[bearer]], count: { of: 2n }, error });
  const hidden = 'Bearer [redacted]';
  expect(parsed()).toMatchObject([
    {
      headers: { authorization: hidden },
      list: [[hidden]],
      count: { of: '2' },
      error: { message: 'outer', size: '3', inner: { code: 'Internal', said: [hidden] } },
    },
  ]);
});

it('writes a line whose fields have no JSON without them', () => {
  const { log, parsed } = logger('info');
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  log.info('round', { circle });
  expect(parsed()).toMatchObject([{ text: 'round', unwritable: expect.stringContaining('circular') }]);
});

it('writes a repeated warning once per window and counts the rest', async () => {
  const clock = createManualClock();
  const recorded = recordingLogger();
  const log = limitRepeats({ windowMs: 1000 }, { log: recorded, clock });
  for (let i = 0; i < 5; i += 1) log.warn('cannot dial');
  log.info('cannot dial');
  await clock.advance(1000);
  log.warn('cannot dial', { url: 'x' });
  expect(recorded.lines.map(({ level, fields }) => [level, fields])).toEqual([
    ['warn', {}],
    ['info', {}],
    ['warn', { url: 'x', suppressed: 4 }],
  ]);
});
