export { recognize } from './recognize.ts';
export type {
  KubeletLayout,
  KubeProxyLayout,
  Layout,
  LayoutChange,
  LayoutKind,
  Recognition,
} from './types.ts';
