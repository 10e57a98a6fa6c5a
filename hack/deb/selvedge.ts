import { type ReleasedProgram, controlOf, nodeLibraries } from './control.ts';
import type { DebPackage } from './package.ts';

const description = `makes Kubernetes clusters edge clusters, and takes them back
Checks and converts a running cluster, joins bare machines, takes all of it back.
Node.js is part of it.`;

/** Shells that complete the command line, and where Debian's look for a command's words. */
export const completionFiles = {
  bash: 'usr/share/bash-completion/completions/selvedge',
  zsh: 'usr/share/zsh/vendor-completions/_selvedge',
  fish: 'usr/share/fish/vendor_completions.d/selvedge.fish',
} as const;

export type Shell = keyof typeof completionFiles;
export const shells = Object.keys(completionFiles) as readonly Shell[];

/** The package of the CLI: the executable, and what completes its command line. */
export function selvedgePackage(
  program: ReleasedProgram,
  completions: Readonly<Record<Shell, string>>,
): DebPackage {
  return {
    control: controlOf('selvedge', program, { Depends: nodeLibraries, Description: description }),
    files: [
      { path: 'usr/bin/selvedge', content: program.executable, mode: 0o755 },
      ...shells.map((shell) => ({ path: completionFiles[shell], content: completions[shell] })),
    ],
  };
}
