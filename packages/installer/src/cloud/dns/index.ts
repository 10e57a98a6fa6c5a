export { lookAtDns, type DnsSeen } from './look.ts';
export type { ZonePlace } from './types.ts';
export { withoutAddition, zoneAddition, zoneBlock } from './zone.ts';
