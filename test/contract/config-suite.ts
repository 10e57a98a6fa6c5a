import { SelvedgeError } from '@selvedge/kit';
import { type ConfigCheck, parseConfigFile } from '@selvedge/kube';
import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';

/** A program's config as its tests see it. */
export interface ConfigUnderTest<T> {
  readonly parse: (text: string) => T;
  /** What is wrong with it; else the config. */
  readonly findings: (text: string) => unknown;
}

export function configUnderTest<T>(check: ConfigCheck<T>): ConfigUnderTest<T> {
  const parse = (text: string): T => parseConfigFile('test.yaml', text, check);
  return {
    parse,
    findings(text) {
      try {
        return parse(text);
      } catch (error) {
        if (error instanceof SelvedgeError && error.code === 'Invalid') return error.details['findings'];
        throw error;
      }
    },
  };
}

/** What holds for the config file of each program. `minimal` ends with a new line, and `load` reads a file. */
export function describeConfigFile<T>(
  { findings }: ConfigUnderTest<T>,
  { minimal, load }: { readonly minimal: string; readonly load: (file: string) => Promise<unknown> },
): void {
  test('broken YAML and duplicate fields are told with their line', () => {
    const line = minimal.split('\n').length + 1;
    expect(findings(`${minimal}log: {}\nlog: {}\n`)).toEqual([
      { line, field: '', problem: 'Map keys must be unique' },
    ]);
    expect(findings('a: *b\n')).toMatchObject([
      { line: 1, field: '', problem: expect.stringContaining('alias') },
    ]);
    expect(findings('a: [1\n')).toMatchObject([{ field: '' }]);
    expect(findings('')).toEqual([{ line: 1, field: '', problem: 'expected a mapping, found nothing' }]);
    expect(findings('just words')).toMatchObject([{ line: 1, field: '' }]);
  });

  property.prop([fc.oneof(fc.json(), fc.string())])(
    'whatever is written is refused with findings',
    (text) => {
      expect(Array.isArray(findings(text))).toBe(true);
    },
  );

  test('a file that cannot be read is a config error', async () => {
    await expect(load('/nonexistent/config.yaml')).rejects.toMatchObject({
      code: 'Invalid',
      message: 'cannot read the config /nonexistent/config.yaml',
    });
  });
}
