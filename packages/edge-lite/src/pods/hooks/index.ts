export { createHooks, type HooksDeps } from './hooks.ts';
export { httpGet, type HttpGet } from './http-hook.ts';
