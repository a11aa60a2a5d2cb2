#!/usr/bin/env node
import { Command } from 'commander';
import { deadLettersCommand } from './commands/maintenance/dead-letters.ts';
import { doctorCommand } from './commands/doctor/doctor.ts';
import { exitWhenIdle, reportFailure } from './commands/terminal/report-failure.ts';
import { explainCommand } from './commands/explain.ts';
import { migrateCommand } from './commands/migrate.ts';
import { rebuildCommand } from './commands/maintenance/rebuild.ts';
import { reconcileCommand } from './commands/maintenance/reconcile.ts';
import { recordCommand } from './commands/record/record.ts';
import { withDiagnostics } from './commands/terminal/otel-log-level.ts';
import { runCommand } from './commands/run/run.ts';
import { scoreCommand } from './commands/score/score.ts';
import { spoolsCommand } from './commands/maintenance/spools.ts';
import { sweepCommand } from './commands/maintenance/sweep.ts';
import { verifyScoresCommand } from './commands/verify-scores/verify-scores.ts';
import { workCommand } from './commands/work/work.ts';

const program = withDiagnostics(new Command('barograph'))
  .description(
    'Records a weather-forecast validation pipeline: every step is a span, and the span is the only source.',
  )
  .addCommand(runCommand())
  .addCommand(workCommand())
  .addCommand(recordCommand())
  .addCommand(scoreCommand())
  .addCommand(verifyScoresCommand())
  .addCommand(explainCommand())
  .addCommand(rebuildCommand())
  .addCommand(reconcileCommand())
  .addCommand(sweepCommand())
  .addCommand(deadLettersCommand())
  .addCommand(spoolsCommand())
  .addCommand(migrateCommand())
  .addCommand(doctorCommand());

await program.parseAsync().catch(reportFailure);
exitWhenIdle();
