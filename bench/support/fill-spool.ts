import { claimFolder } from '#spool/spool-folder';
import { BENCH_EMITTER, runOfMiners } from '../miner-run.ts';
import { fillSpool, openSpool } from './spool.ts';

/**
 * A process that records during a database outage and kills itself before anything is delivered.
 *
 * Arguments: the folder of all spools, runs, miners.
 */
const [root = '', runs, miners] = process.argv.slice(2);
const folder = await claimFolder(root, BENCH_EMITTER.instanceId);
if (folder === null) throw new Error(`Another process writes its records below ${root}.`);
const spool = openSpool(folder.directory);
for (let run = 1; run <= Number(runs); run += 1) await fillSpool(spool, runOfMiners(run, Number(miners)));
process.kill(process.pid, 'SIGKILL');
