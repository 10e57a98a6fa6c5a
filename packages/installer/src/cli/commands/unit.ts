import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type NodeMoved,
  type UnitCreated,
  type UnitInfo,
  type UnitList,
  createUnit,
  listUnits,
  moveNode,
} from '../../unit/index.ts';
import { openCluster } from '../cluster.ts';
import { type ClusterFlags, withCluster } from '../flags/cluster.ts';
import { duration, moreWords, withChanges, withJson } from '../flags/common.ts';
import type { CommonFlags, Program } from '../program.ts';
import { table } from '../text/index.ts';

interface CreateFlags extends CommonFlags, ClusterFlags {
  readonly nodes?: readonly string[];
  readonly selector?: string;
  readonly autonomy?: string;
}

interface MoveFlags extends CommonFlags, ClusterFlags {
  readonly timeout: number;
}

const usualTimeoutMs = 120_000;

const describeCreated = ({ unit, isNew }: UnitCreated): string =>
  isNew ? `Unit ${unit} is made.` : `Unit ${unit} was there already.`;

const settledText = ({ isSettled }: UnitInfo): string =>
  isSettled === undefined ? 'unknown' : isSettled ? 'yes' : 'no';

function describeList({ units }: UnitList, columns: number | undefined): string {
  if (units.length === 0) return 'There are no units.';
  const rows = units.map((unit) => [
    unit.name,
    String(unit.members.length),
    String(unit.connected),
    String(unit.missing),
    settledText(unit),
    String(unit.conflicts),
    unit.autonomy ?? 'default',
  ]);
  const head = ['NAME', 'MEMBERS', 'CONNECTED', 'MISSING', 'SETTLED', 'CONFLICTS', 'AUTONOMY'];
  return table(head, rows, { columns });
}

const describeMoved = ({ node, unit, left }: NodeMoved): string =>
  left.length === 0
    ? `Node ${node} is in unit ${unit}.`
    : `Node ${node} is in unit ${unit}; it left ${left.join(', ')}.`;

function addCreate(unit: Command, program: Program): void {
  withChanges(withCluster(unit.command('create')))
    .description('make a unit')
    .argument('<name>', 'at most 63 characters, a-z, 0-9 and -')
    .option('--nodes <a,b>', 'its members, by name; those that do not exist yet join when they do', moreWords)
    .option('--selector <k=v>', 'its members, by labels that nodes cannot write')
    .option('--autonomy <period>', 'off, forever or a duration; default: as the cluster has it')
    .action((name: string, flags: CreateFlags) => {
      const { nodes, selector, autonomy } = flags;
      if (nodes !== undefined && selector !== undefined)
        throw new InvalidArgumentError('give --nodes or --selector, not both');
      return program.perform({ kind: 'UnitCreated', describe: describeCreated }, flags, async (run) => {
        await using cluster = await openCluster(flags, program.host);
        return await createUnit({ name, nodes, selector, autonomy }, { ...run, cluster: cluster.client });
      });
    });
}

function addMove(unit: Command, program: Program): void {
  withChanges(withCluster(unit.command('move')))
    .description('take a node out of its unit and into another one, and wait until that is settled')
    .argument('<node>', 'its name')
    .argument('<unit>', 'where it belongs then')
    .addOption(
      new Option('--timeout <duration>', 'for the units to settle')
        .argParser(duration)
        .default(usualTimeoutMs, '2m'),
    )
    .action((node: string, to: string, flags: MoveFlags) => {
      const options = { node, unit: to, timeoutMs: flags.timeout };
      return program.perform({ kind: 'NodeMoved', describe: describeMoved }, flags, async (run) => {
        await using cluster = await openCluster(flags, program.host);
        return await moveNode(options, { ...run, cluster: cluster.client });
      });
    });
}

export function addUnit(root: Command, program: Program): void {
  const unit = root.command('unit').description('units: named groups of nodes, a shop each');
  addCreate(unit, program);
  withJson(withCluster(unit.command('list')))
    .description('the units of the cluster')
    .action((flags: CommonFlags & ClusterFlags) =>
      program.perform({ kind: 'UnitList', describe: describeList }, flags, async (run) => {
        await using cluster = await openCluster(flags, program.host);
        return await listUnits({ ...run, cluster: cluster.client });
      }),
    );
  addMove(unit, program);
}
