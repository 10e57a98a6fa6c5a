import { SelvedgeError } from '@selvedge/kit';
import { type ClusterTarget, type TextEdit, editedText, redirectKubeconfig } from '@selvedge/kube';
import type { FileFacts, NodeFacts } from '../facts/index.ts';
import { places } from '../places.ts';
import type { EditStep } from '../steps/index.ts';

/** The hub as programs of the machine find it. */
export const hubTarget = (port: number): ClusterTarget => ({
  server: `https://127.0.0.1:${port}`,
  certificateAuthority: places.hubCa,
});

function read(facts: NodeFacts, path: string): FileFacts & { readonly text: string } {
  const file = facts.files[path];
  if (file?.text !== undefined) return { ...file, text: file.text };
  throw new SelvedgeError(`${path} does not exist, or is not a text file of at most 64 KiB`, {
    code: 'Conflict',
    hint: 'it must be a kubeconfig in plain YAML; run `selvedge check` for what is on the machine',
  });
}

function editsOf(path: string, text: string, target: ClusterTarget): readonly TextEdit[] {
  const edits = redirectKubeconfig(text, target);
  if (edits !== undefined) return edits;
  throw new SelvedgeError(`${path} is not a kubeconfig that can be edited`, {
    code: 'Conflict',
    hint: 'it must be plain YAML, with a current-context whose cluster has a server',
  });
}

/** Leads a kubeconfig to the hub, where it stands. */
export function redirectInPlace(facts: NodeFacts, path: string, target: ClusterTarget): EditStep {
  const { text, sha256 } = read(facts, path);
  const marks = [
    target.server,
    ...(target.certificateAuthority === undefined ? [] : [target.certificateAuthority]),
  ];
  return { kind: 'edit', path, sha256, changes: editsOf(path, text, target), marks };
}

/** The text of a kubeconfig like that one which leads to the hub. Only for one whose secrets are in files. */
export function redirectedCopy(facts: NodeFacts, path: string, target: ClusterTarget): string {
  const { text } = read(facts, path);
  if (/^[^#\n]*\b(client-key-data|token|password):/m.test(text)) {
    throw new SelvedgeError(`${path} contains an inline secret, which is not copied elsewhere`, {
      code: 'Conflict',
      hint: 'put it into a file that the kubeconfig names instead (client-key, tokenFile), then run the same command again',
    });
  }
  return editedText(text, editsOf(path, text, target));
}
