import pc from 'picocolors';

/** How text looks on one stream. */
export interface Style {
  readonly colors: Colors;
  readonly symbols: Symbols;
}

export type Colors = Pick<
  ReturnType<typeof pc.createColors>,
  'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'
>;

export interface Symbols {
  readonly done: string;
  readonly failed: string;
  readonly stopped: string;
  readonly change: string;
  /** One after another while a task runs. */
  readonly running: readonly string[];
}

const unicode: Symbols = {
  done: '✓',
  failed: '✗',
  stopped: '■',
  change: '•',
  running: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
};
const ascii: Symbols = {
  done: '+',
  failed: 'x',
  stopped: '#',
  change: '-',
  running: ['|', '/', '-', '\\'],
};

type Environment = Readonly<Record<string, string | undefined>>;

const isSet = (value: string | undefined): boolean => value !== undefined && value !== '';

/** Source: no-color.org: any value but the empty one. */
function hasColors(isTTY: boolean, env: Environment): boolean {
  if (isSet(env['NO_COLOR'])) return false;
  return isTTY && env['TERM'] !== 'dumb';
}

/** Source: POSIX, "Internationalization Variables": the first that is set counts. */
function hasUnicode(env: Environment): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find(isSet) ?? '';
  return /utf-?8/i.test(locale);
}

export function styleOf(isTTY: boolean, env: Environment): Style {
  return {
    colors: pc.createColors(hasColors(isTTY, env)),
    symbols: hasUnicode(env) ? unicode : ascii,
  };
}
