export { type Answer, type WholeAnswer, textAnswer } from './answer.ts';
export { bearerTokenOf } from './bearer-token.ts';
export { type BodyReader, type HeldBody, createBodyReader } from './body.ts';
export { type ByteShares, type HeldBytes, type Holder, createByteShares } from './byte-shares.ts';
export { type Answering, type Passing, serveExchange, serveUpgrade } from './exchange.ts';
export {
  type HttpsListener,
  type HttpsListenerDeps,
  type HttpsListenerOptions,
  type Screening,
  type Serve,
  createHttpsListener,
} from './https-listener.ts';
export { join } from './join.ts';
export type {
  BodyLimits,
  ConnectionLimits,
  Http1Limits,
  HttpsLimits,
  QuotaLimits,
  StrangerLimits,
} from './limits.ts';
export { type Link, linkTo } from './link.ts';
export { anyFamily, type Where } from './listeners.ts';
export { createNewcomers, type Newcomers } from './newcomers.ts';
export { createPlaces, type Place, type Places } from './places.ts';
export type { Exchange, Upgrade } from './protocol.ts';
export { createQuota, type Quota } from './quota.ts';
export { headOf, refuseOn } from './refuse-on.ts';
export { pieceBytes, respond, type ResponseStream } from './respond.ts';
export type { ServingPair, ServingSource } from './secure.ts';
export { createStrangers, type Strangers } from './strangers.ts';
