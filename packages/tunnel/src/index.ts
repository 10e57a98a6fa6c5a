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
