export { createBans, type Bans } from './bans.ts';
export { edgeNodeResource, nodeOfUser, type EdgeNodeObject } from './resource.ts';
