import { writeFile } from 'node:fs/promises';
import { Bed } from '@selvedge/bed';
import { systemClock } from '@selvedge/kit';
import { Command } from 'commander';
import { openRun } from '../bed/run/run.ts';
import { areas } from './areas.ts';
import type { BenchRow } from './row.ts';
import { renderTable } from './table.ts';

async function runAreas(names: readonly string[]): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const name of names) {
    const area = areas[name];
    if (area === undefined) {
      throw new Error(`there is no area ${name}; there are: ${Object.keys(areas).join(', ')}`);
    }
    process.stderr.write(`bench: ${name} …\n`);
    rows.push(...(await area()));
  }
  return rows;
}

const deps = { clock: systemClock, removeBed: (name: string) => Bed.down(name) };
await using run = await openRun({}, deps);
process.env['TMPDIR'] = run.folder;

await new Command('bench')
  .description('Measures Selvedge beside its peers. Missed goals are printed, they do not fail the run.')
  .argument('[area...]', `areas to run, of: ${Object.keys(areas).join(', ')} (default: all)`)
  .option('--json <file>', 'also write the rows as a JSON array')
  .action(async (names: string[], options: { json?: string }) => {
    const rows = await runAreas(names.length === 0 ? Object.keys(areas) : names);
    process.stdout.write(renderTable(rows));
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(rows, null, 2)}\n`);
  })
  .parseAsync();
