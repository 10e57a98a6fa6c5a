/** The value of a variable, or `undefined` to leave its reference as it stands. */
export type Variables = (name: string) => string | undefined;

const reference = /\$(?:\$|\(([^)]*)\))/g;

/**
 * Replaces `$(NAME)` by its value; `$$` is a plain `$`, so `$$(NAME)` stays `$(NAME)`. What is unknown or not closed stays.
 * Source: https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 */
export function expand(text: string, variables: Variables): string {
  return text.replace(reference, (whole, name: string | undefined) =>
    name === undefined ? '$' : (variables(name) ?? whole),
  );
}
