export { parseTokenId } from './bootstrap-token.ts';
export { createToken } from './create.ts';
export { deleteTokens, type TokensDeleted } from './delete.ts';
export { type JoinConfig, kubeletConfig, tunnelCaConfig } from './join-configs.ts';
export { listTokens, type TokenList } from './list.ts';
export type { TokenInfo } from './token-secret.ts';
export type { TokenCreateOptions, TokenCreated, TokenDeps } from './types.ts';
