/** What releases and packages are built with. */

export {
  architectures,
  artifactName,
  checksumsFile,
  parseChecksums,
  renderChecksums,
  type Architecture,
  type Digests,
} from './artifacts/index.ts';
export { managerUnit } from './cloud/beside-api-server/service.ts';
export { journalPlace } from './journal/place.ts';
export { edgeLiteUnit, type EdgeLiteRole } from './systemd-units/index.ts';
