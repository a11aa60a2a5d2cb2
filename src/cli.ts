#!/usr/bin/env node
import { Command } from 'commander';
import { doctorCommand } from './commands/doctor.ts';
import { endSoon } from './commands/end-soon.ts';
import { explainCommand } from './commands/explain.ts';
import { migrateCommand } from './commands/migrate.ts';
import { recordCommand } from './commands/record.ts';
import { reportFailure } from './commands/report-failure.ts';
import { runCommand } from './commands/run.ts';
import { scoreCommand } from './commands/score.ts';
import { workCommand } from './commands/work.ts';

const program = new Command('barograph')
  .description(
    'Records a weather-forecast validation pipeline: every step is a span, and the span is the only source.',
  )
  .addCommand(runCommand())
  .addCommand(workCommand())
  .addCommand(recordCommand())
  .addCommand(scoreCommand())
  .addCommand(explainCommand())
  .addCommand(migrateCommand())
  .addCommand(doctorCommand());

await program.parseAsync().catch(reportFailure);
endSoon();
