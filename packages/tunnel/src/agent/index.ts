export { createTunnelAgent } from './agent.ts';
export type {
  AgentTimeouts,
  CarrierMemory,
  LinkState,
  LinkView,
  TargetTraffic,
  TunnelAgent,
  TunnelAgentDeps,
  TunnelAgentOptions,
  TunnelServerAddress,
  Verdict,
} from './types.ts';
