import { expect, it } from 'vitest';
import { createListeners } from './listeners.ts';
import { recordingLogger } from './testing.ts';

it('tells all in their order, until they leave', () => {
  const heard: string[] = [];
  const listeners = createListeners<string>(recordingLogger());
  const first = listeners.add((what) => heard.push(`first ${what}`));
  listeners.add((what) => heard.push(`second ${what}`));
  listeners.tell('a');
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  listeners.tell('b');
  expect(heard).toEqual(['first a', 'second a', 'second b']);
});

it('takes the same function twice, and lets each go by itself', () => {
  const heard: string[] = [];
  const listener = (what: string): void => void heard.push(what);
  const listeners = createListeners<string>(recordingLogger());
  listeners.add(listener);
  listeners.add(listener)[Symbol.dispose]();
  listeners.tell('a');
  expect(heard).toEqual(['a']);
});

it('tells the others when one throws, and logs it', () => {
  const log = recordingLogger();
  const heard: string[] = [];
  const listeners = createListeners<string>(log);
  listeners.add(() => {
    throw new Error('no');
  });
  listeners.add((what) => heard.push(what));
  listeners.tell('a');
  expect(heard).toEqual(['a']);
  expect(log.lines).toMatchObject([{ level: 'error', text: 'listener failed' }]);
});
