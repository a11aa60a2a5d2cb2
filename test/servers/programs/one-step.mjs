import { startRecording, step } from 'barograph';

const recording = await startRecording({ validatorHotkey: '5Validator' });
const identity = () => ({ runId: Number(process.env.RUN), minerHotkey: '5Able' });
await step({ name: 'verify', identity }, async () => 1)();
await recording.close();
