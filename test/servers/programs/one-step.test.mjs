// A test of a user, for jest and for vitest with globals.
import { startRecording, step } from 'barograph';

test('a step is recorded', async () => {
  const recording = await startRecording({ validatorHotkey: '5Validator' });
  const identity = () => ({ runId: Number(process.env.RUN), minerHotkey: '5Able' });
  expect(await step({ name: 'verify', identity }, async () => 1)()).toBe(1);
  await recording.close();
});
