import { describe, expect, test } from 'vitest';
import { Answers } from './answers.ts';

const number = (text: string) => ({ kind: 'number', text }) as const;
const unknown = (why: string) => ({ kind: 'unknown', why }) as const;
const answersOf = (maxAnswers = 10) => new Answers({ freshMs: 20, holdMs: 100, maxAnswers });

describe('an answer', () => {
  test('is due while there is none, not while it is asked for, and when it is old', () => {
    const answers = answersOf();
    expect(answers.isDue('a', 0)).toBe(true);
    answers.asked('a');
    expect([answers.isDue('a', 1_000), answers.isDue('b', 1_000)]).toEqual([false, true]);
    answers.answered('a', number('1'), 1_000);
    expect([1_000, 1_019, 1_020].map((now) => answers.isDue('a', now))).toEqual([false, false, true]);
    answers.answered('a', unknown('no'), 1_020);
    expect([1_039, 1_040].map((now) => answers.isDue('a', now))).toEqual([false, true]);
  });

  test('is news where there is something else to read', () => {
    const answers = answersOf();
    const news = [
      answers.answered('a', unknown('no'), 0),
      answers.answered('a', unknown('no'), 1),
      answers.answered('a', unknown('never'), 2),
      answers.answered('a', number('1'), 3),
      answers.answered('a', number('1'), 4),
      answers.answered('a', number('2'), 5),
      // The number still counts.
      answers.answered('a', unknown('no'), 6),
    ];
    expect(news).toEqual([true, false, true, true, false, true, false]);
  });

  test('that is a number counts for its time though no other one comes', () => {
    const answers = answersOf();
    answers.answered('a', number('1'), 0);
    answers.asked('a');
    expect(answers.read('a', 50)).toEqual(number('1'));
    answers.answered('a', unknown('no'), 60);
    expect([99, 100, 159, 160].map((now) => answers.read('a', now))).toEqual([
      number('1'),
      unknown('no'),
      unknown('no'),
      undefined,
    ]);
  });

  test('is forgotten where there are too many', () => {
    const answers = answersOf(2);
    for (const key of ['a', 'b', 'c']) answers.answered(key, number(key), 0);
    expect(['a', 'b', 'c'].map((key) => answers.read(key, 1))).toEqual([undefined, number('b'), number('c')]);
    expect(answers.isDue('a', 1)).toBe(true);
  });
});
