const plain = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** One word of a POSIX shell that means exactly `word`. Source: POSIX Shell Command Language, 2.2.2. */
function quoted(word: string): string {
  return plain.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * The command line that makes a POSIX shell run exactly `argv`. SSH has no argument lists: a server gives one string to
 * the login shell of the user. Source: RFC 4254, 6.5.
 */
export function commandLine(argv: readonly string[]): string {
  return argv.map(quoted).join(' ');
}
