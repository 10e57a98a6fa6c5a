import type { PlannedChange } from '../command/index.ts';
import type { CopySource, Step, TextChange } from '../steps/index.ts';

type StepOf<K extends Step['kind']> = Extract<Step, { kind: K }>;

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

/** In words, for each kind that a person should know of before. */
const words: { readonly [K in Step['kind']]?: (step: StepOf<K>) => PlannedChange | undefined } = {
  folder: ({ path }) => ({ what: `create directory ${path}` }),
  tree: ({ path }) => ({ what: `create directory ${path}` }),
  file: ({ path, content }) => ({ what: `write ${path}`, detail: marked('+', content) }),
  edit: ({ path, changes }) => ({ what: `edit ${path}`, detail: changes.flatMap(diffOf) }),
  upload: ({ path, sha256 }) => ({ what: `install ${path}`, detail: [`sha256 ${sha256}`] }),
  copy: ({ path, from }) => ({ what: `copy ${from.map(sourceOf).join(' and ')} to ${path}` }),
  absent: ({ path }) => ({ what: `remove ${path}` }),
  unit: ({ name }) => ({ what: `start ${name} and enable it at boot` }),
  restart: ({ name, on }) =>
    on === 'apply' ? { what: `restart ${name}; containers keep running` } : undefined,
  packages: ({ names, archives }) => ({
    what: `install ${names.join(', ')}`,
    ...(archives.length === 0 ? {} : { detail: archives }),
  }),
  sysctl: ({ name, value }) => ({ what: `set ${name} to ${value}` }),
  secret: ({ path }) => ({ what: `write ${path}, readable by root only` }),
};

/** For people: what steps do, with what changes in files. Pure. */
export function describeSteps(steps: readonly Step[]): readonly PlannedChange[] {
  return steps.flatMap((step) => {
    // The table has for each kind the words of that kind.
    const say = words[step.kind] as ((one: Step) => PlannedChange | undefined) | undefined;
    return say?.(step) ?? [];
  });
}
