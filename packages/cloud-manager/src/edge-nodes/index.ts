export { createBans, type Bans } from './bans.ts';
export { createEdgeMarks } from './marks.ts';
export { edgeNodeResource, nodeOfUser, type EdgeNodeObject } from './resource.ts';
