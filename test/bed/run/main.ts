import { systemClock } from '@selvedge/kit';
import { Bed } from '../bed.ts';
import { removeRun } from './remove-run.ts';

/** Removes the run whose folder is the one argument: a run that must end at once has this done for it. */
await removeRun(process.argv[2] ?? '', { clock: systemClock, removeBed: (name) => Bed.down(name) });
