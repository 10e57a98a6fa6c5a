/** As many `x` as there were characters, so that positions in the text stay. Lines and their indents stay, too. */
const hidden = (secret: string): string => secret.replaceAll(/\S/g, 'x');

const word = String.raw`(?:[\w-]*token|[\w-]*password|[\w-]*secret|client-key-data|datastore-endpoint)`;
/** A field, a variable or a flag that holds a secret, and its value up to the end of the word. */
const named = new RegExp(
  String.raw`((?:^|[\s"'{,=-])${word}["']?(?:\s*[:=]\s*|\s+)["']?)([^\s"',}]+)`,
  'gim',
);
/** A block of lines below a field that holds a secret. */
const block = /(?<=^([ \t]*)(?:- )?client-key-data:[ \t]*[>|][-+\d]*[ \t]*\n)(?:\1[ \t]+\S.*\n?)+/gim;
/** What begins as PEM does, in base64. */
const encoded = /LS0tLS1CRUdJTi[\w+/=]+/g;
const key = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g;

const hasKey = (base64: string): boolean => Buffer.from(base64, 'base64').includes('PRIVATE KEY');

/** The text without the secrets in it. */
export function maskSecrets(text: string): string {
  return text
    .replaceAll(block, hidden)
    .replaceAll(encoded, (base64) => (hasKey(base64) ? hidden(base64) : base64))
    .replaceAll(key, hidden)
    .replaceAll(named, (_all, field: string, value: string) => field + hidden(value));
}

/** Arguments without the values of those flags that hold secrets. */
export function maskArguments(argv: readonly string[]): readonly string[] {
  const flag = new RegExp(`^--?(?:${word}|t)$`, 'i');
  return argv.map((argument, at) => {
    const before = argv[at - 1];
    return before !== undefined && flag.test(before) ? hidden(argument) : maskSecrets(argument);
  });
}
