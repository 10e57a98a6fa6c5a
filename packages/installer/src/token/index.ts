export { parseTokenId } from './bootstrap-token.ts';
export { createToken } from './create.ts';
export { deleteTokens, type TokensDeleted } from './delete.ts';
export { listTokens, type TokenList } from './list.ts';
export type { TokenInfo } from './token-secret.ts';
export { tunnelCaAt, tunnelCaKey } from './tunnel-ca.ts';
export type { TokenCreateOptions, TokenCreated, TokenDeps } from './types.ts';
