import { type PlannedChange, type StepWords, changesIn } from '../command/index.ts';
import type { CopySource, Step, TextChange } from '../steps/index.ts';

const maxLines = 40;
const maxWidth = 100;

const short = (line: string): string => (line.length <= maxWidth ? line : `${line.slice(0, maxWidth - 1)}…`);

function marked(mark: '+' | '-', text: string): readonly string[] {
  const lines = text.replace(/\n$/, '').split('\n');
  const shown = lines.slice(0, maxLines).map((line) => short(`${mark} ${line}`));
  return lines.length <= maxLines ? shown : [...shown, `${mark} … and ${lines.length - maxLines} more lines`];
}

const diffOf = ({ old, new: next }: TextChange): readonly string[] => [
  ...(old === '' ? [] : marked('-', old)),
  ...(next === '' ? [] : marked('+', next)),
];

const sourceOf = ({ path, field }: CopySource): string =>
  field === undefined ? path : `${field} of ${path}`;

const words: StepWords = {
  folder: ({ path }) => `create directory ${path}`,
  tree: ({ path }) => `create directory ${path}`,
  file: ({ path, content }) => ({ what: `write ${path}`, detail: marked('+', content) }),
  edit: ({ path, changes }) => ({ what: `edit ${path}`, detail: changes.flatMap(diffOf) }),
  upload: ({ path, sha256 }) => ({ what: `install ${path}`, detail: [`sha256 ${sha256}`] }),
  copy: ({ path, from }) => `copy ${from.map(sourceOf).join(' and ')} to ${path}`,
  unit: ({ name }) => `start ${name} and enable it at boot`,
  restart: ({ name, on }) => (on === 'apply' ? `restart ${name}; containers keep running` : undefined),
};

/** What a conversion does to a node, with what changes in files. Pure. */
export const describeSteps = (steps: readonly Step[]): readonly PlannedChange[] => changesIn(steps, words);
