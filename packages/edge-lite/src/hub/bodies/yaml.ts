import { type Document, parseDocument } from 'yaml';
import { invalid } from './invalid.ts';

/** Of one document: tools send JSON, people write less, and reading this much takes a tenth of a second. */
const maxYamlChars = 128 * 1024;
const maxAliases = 100;

/** Throws `Invalid`. */
export function yamlDocument(text: string): Document {
  if (text.length > maxYamlChars) throw invalid(`YAML of more than ${maxYamlChars} characters`);
  try {
    const document = parseDocument(text, { logLevel: 'silent', prettyErrors: false });
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document;
  } catch (cause) {
    throw invalid('it cannot be read as YAML', cause);
  }
}

/** The text of the bytes, one to one. Throws `Invalid`. */
export function yamlText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw invalid('it is not in UTF-8', cause);
  }
}

/** Throws `Invalid`. */
export function parseYaml(bytes: Uint8Array): unknown {
  const document = yamlDocument(yamlText(bytes));
  try {
    return document.toJS({ maxAliasCount: maxAliases });
  } catch (cause) {
    throw invalid('its aliases cannot be resolved', cause);
  }
}

/** JSON is YAML too, and what reads JSON does it better. */
export function isJsonText(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes).toString();
  if (!text.trimStart().startsWith('{')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
