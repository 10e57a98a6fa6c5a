import { bedBench } from './bed.ts';
import { grpcBench } from './grpc.ts';
import { hubBench } from './hub/hub.ts';
import { hubIdleBench } from './hub/idle.ts';
import { podsBench } from './pods/pods.ts';
import { installerBench } from './installer/installer.ts';
import type { BenchRow } from './row.ts';
import { scaleBench } from './scale/scale.ts';
import { tunnelBench } from './tunnel/tunnel.ts';

/** Every area by the name people type. */
export const areas: Readonly<Record<string, () => Promise<readonly BenchRow[]>>> = {
  bed: bedBench,
  grpc: grpcBench,
  hub: hubBench,
  'hub-idle': hubIdleBench,
  installer: installerBench,
  pods: podsBench,
  tunnel: tunnelBench,
  units: scaleBench,
};
