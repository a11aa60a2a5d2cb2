// A program whose environment limits spans, as one with chatty traces does, and that scores eighty fields at once.
const { startRecording, step } = require('barograph');

async function main() {
  const recording = await startRecording({ validatorHotkey: '5ValidatorWithAHotkeyOfFullLength' });
  const events = Array.from({ length: 80 }, (_, index) => ({
    name: 'weather.component_score',
    attributes: {
      'weather.component.score_type': 'day1',
      'weather.component.variable_name': 't',
      'weather.component.pressure_level': index + 1,
      'weather.component.valid_time': '2026-11-23T06:00:00Z',
      'weather.component.rmse': 0.5,
    },
  }));
  const identity = () => ({
    runId: Number(process.env.RUN),
    minerUid: 7,
    minerHotkey: '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY',
    initTime: new Date('2026-11-23T00:00:00Z'),
    leadHours: 6,
  });
  const outcome = () => ({ status: 'succeeded', events });
  await step({ name: 'day1', substep: 'score', identity, outcome }, async () => 0.5)();
  await recording.close();
}
main();
