import { expect, test } from 'vitest';
import { parseCommand, usage } from './arguments.ts';

test.each([
  [['run', '--config', 'a.yaml'], { kind: 'run', config: 'a.yaml' }],
  [['webhook-configuration', '--config=a.yaml'], { kind: 'webhook-configuration', config: 'a.yaml' }],
  [['egress-configuration', '--config', 'a'], { kind: 'egress-configuration', config: 'a' }],
  [['--version'], { kind: 'version' }],
  [['run', '-h'], { kind: 'help' }],
])('%j is understood', (args, command) => {
  expect(parseCommand(args)).toEqual(command);
});

test.each([
  [[]],
  [['run']],
  [['walk', '--config', 'x']],
  [['run', '--colour']],
  [['run', 'run', '--config', 'x']],
])('%j is refused with a hint', (args) => {
  expect(() => parseCommand(args)).toThrow(
    expect.objectContaining({ code: 'Invalid', hint: 'cloud-manager --help' }),
  );
});

test('the usage names every command', () => {
  for (const command of ['run', 'webhook-configuration', 'egress-configuration']) {
    expect(usage).toContain(`cloud-manager ${command}`);
  }
});
