export { formatTarget, parseTarget } from './protocol/target.ts';
export {
  defaultLimits,
  defaultTimeouts,
  type Carrier,
  type Direction,
  type SessionLimits,
  type SessionState,
  type SessionTimeouts,
  type SessionView,
  type Target,
  type TunnelCredentials,
} from './types.ts';
