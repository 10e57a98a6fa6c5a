import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type NodeMoved,
  type UnitCreated,
  type UnitInfo,
  type UnitList,
  createUnit,
  listUnits,
  moveNode,
} from '../../edge-units/index.ts';
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
  isNew ? `Unit ${unit} created.` : `Unit ${unit} already exists.`;

const settledText = ({ isSettled }: UnitInfo): string =>
  isSettled === undefined ? 'unknown' : isSettled ? 'yes' : 'no';

function describeList({ units }: UnitList, columns: number | undefined): string {
  if (units.length === 0) return 'No units.';
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
    ? `Node ${node} is a member of unit ${unit}.`
    : `Node ${node} is a member of unit ${unit}; removed from ${left.join(', ')}.`;

function addCreate(unit: Command, program: Program): void {
  withChanges(withCluster(unit.command('create')))
    .description('create a unit')
    .argument('<name>', 'at most 63 characters: a-z, 0-9 and -')
    .option(
      '--nodes <a,b>',
      'members by name; nodes that do not exist yet become members when they join',
      moreWords,
    )
    .option('--selector <k=v>', 'members by labels, which must be ones that nodes cannot set themselves')
    .option('--autonomy <period>', 'off, forever or a duration; default: the cluster default')
    .action((name: string, flags: CreateFlags) => {
      const { nodes, selector, autonomy } = flags;
      if (nodes !== undefined && selector !== undefined)
        throw new InvalidArgumentError('use --nodes or --selector, not both');
      return program.perform({ kind: 'UnitCreated', describe: describeCreated }, flags, async (run) => {
        await using cluster = await openCluster(flags, program.host);
        return await createUnit({ name, nodes, selector, autonomy }, { ...run, cluster: cluster.client });
      });
    });
}

function addMove(unit: Command, program: Program): void {
  withChanges(withCluster(unit.command('move')))
    .description('move a node to another unit, and wait until both units are settled')
    .argument('<node>', 'name of the node')
    .argument('<unit>', 'name of its new unit')
    .addOption(
      new Option('--timeout <duration>', 'how long to wait for the units to settle')
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
  const unit = root.command('unit').description('manage units: named groups of nodes, usually one per site');
  addCreate(unit, program);
  withJson(withCluster(unit.command('list')))
    .description('list units')
    .action((flags: CommonFlags & ClusterFlags) =>
      program.perform({ kind: 'UnitList', describe: describeList }, flags, async (run) => {
        await using cluster = await openCluster(flags, program.host);
        return await listUnits({ ...run, cluster: cluster.client });
      }),
    );
  addMove(unit, program);
}
