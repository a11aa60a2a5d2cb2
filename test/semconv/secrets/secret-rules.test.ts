import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scrubText, scrubValue } from '#semconv';
import { holdsMnemonic } from '#semconv/secrets/mnemonics';
import { SECRET_RULES } from '#semconv/secrets/secret-rules';
import { hideSecrets, hideSecretValues } from '#semconv/secret-values';

const LETTERS =
  'aB3dE5gH7jK9mN2pQ4sT6vW8xY0zA1cD3fG5hJ7kL9nP2qR4tV6wX8yZ0bC1eF3gH5jK7mN9pQ2sT4vW6xY8zA0cD1fG3h';
const WORDS =
  'legal winner thank year wave sausage worth useful legal winner thank yellow ability weather abandon table';
const TWELVE = WORDS.split(' ').slice(0, 12).join(' ');
const HEX = '9f2c11d0a4b75e83'.repeat(4);
/** Put together here, so that no scanner takes this file for a leak. */
const tokenOf = (beginning: string, length: number): string => `${beginning}${LETTERS.slice(0, length)}`;
const capitals = LETTERS.toUpperCase();

type Sample = readonly [text: string, secret: string, nearMiss: string];

/** A text with a secret, the secret, and a text that nearly has that form and stays as it is. */
const SAMPLES: Readonly<Record<keyof typeof SECRET_RULES, readonly Sample[]>> = {
  'private-key': [
    [
      '-----BEGIN OPENSSH PRIVATE KEY-----\nMIIEx\n-----END OPENSSH PRIVATE KEY-----',
      'MIIEx',
      '-----BEGIN CERTIFICATE-----',
    ],
  ],
  'url-credentials': [
    [
      'postgres://weather:Hunter-2@db/weather',
      'Hunter-2',
      'Allowed: postgres://user:password@host:port/database',
    ],
    [`https://${HEX}@git.example/x`, HEX, 'mail to operator@weather.example'],
    ['postgres://weather:p/a@s?s@db/weather', 's?s', 'https://weather.example/a?b=c'],
  ],
  mnemonic: [
    [
      `cannot open ${TWELVE} here`,
      'sausage',
      'the weather table could open only above normal area year then wave',
    ],
    [`["${TWELVE.split(' ').join('","')}"]`, 'sausage', '["legal","winner","thank"]'],
    [
      `1. ${TWELVE.split(' ')
        .map((text, at) => `${text} ${at + 2}.`)
        .join(' ')}`,
      'sausage',
      '1. legal 2. winner',
    ],
    ['seed phrase: legal winner thank yellow', 'yellow', 'seed phrase is missing'],
    ['mnemonic is legal winner xyzzy yellow; next', 'yellow', 'the mnemonic is not valid'],
    ['secretPhrase=wave sausage worth', 'worth', 'the phrase is too long'],
    ['bad mnemonic legal winner thank', 'thank', 'bad mnemonic length'],
    ['mnemonic: hunter2-x7Q next', '2-x7Q', 'mnemonics: 2 of 3'],
  ],
  authorization: [['Authorization: Digest Abc9def', 'Abc9def', 'authorization failed']],
  bearer: [['sent Bearer abc.def-ghi', 'abc.def', 'a bearing of 90 degrees']],
  basic: [['sent Basic dXNlcjpwYXNz', 'dXNlcjpwYXNz', 'basic authentication failed']],
  cookie: [['Set-Cookie: sid=abc; other=def', 'def', 'cookies were refused']],
  jwt: [['got eyJhbGciOiJ9.eyJqb2IiOjF9.x7x_K', 'eyJqb2IiOjF9', 'got eyJ only']],
  fernet: [[`gAAAAABn${'Zk3_-'.repeat(8)}`, 'Zk3_-Zk3', 'gAAAA']],
  aws: [[`AKIA${capitals.slice(0, 16)}`, capitals.slice(0, 16), `AKIA${capitals.slice(0, 9)}`]],
  github: [
    [tokenOf('ghp_', 36), LETTERS.slice(4, 30), 'ghp_short'],
    [tokenOf('github_pat_', 82), LETTERS.slice(4, 30), 'github_pat_'],
  ],
  gitlab: [[tokenOf('glpat-', 20), LETTERS.slice(2, 20), 'glpat-short']],
  'sk-key': [[tokenOf('sk-proj-', 40), LETTERS.slice(2, 30), 'sk-learn-compatible-estimators']],
  stripe: [[tokenOf('sk_live_', 24), LETTERS.slice(2, 20), 'risk_test_case_of_many']],
  slack: [
    [tokenOf('xoxb-', 24), LETTERS.slice(2, 20), 'xoxb-1'],
    [
      `https://hooks.slack.com/services/T0/B0/${LETTERS.slice(0, 24)}`,
      LETTERS.slice(2, 20),
      'hooks.slack.com/docs',
    ],
  ],
  discord: [
    [
      `discord.com/api/webhooks/123/${LETTERS.slice(0, 30)}`,
      LETTERS.slice(2, 20),
      'discord.com/api/webhooks',
    ],
  ],
  google: [[tokenOf('AIza', 35), LETTERS.slice(2, 30), 'AIza-short']],
  'hugging-face': [[tokenOf('hf_', 34), LETTERS.slice(2, 30), 'hf_hub_download failed']],
  npm: [[tokenOf('npm_', 36), LETTERS.slice(2, 30), 'npm_config_registry']],
  pypi: [[tokenOf('pypi-', 60), LETTERS.slice(2, 30), 'pypi-server is away']],
  sendgrid: [
    [`SG.${LETTERS.slice(0, 22)}.${LETTERS.slice(0, 43)}`, LETTERS.slice(2, 20), 'SG.weather.example'],
  ],
  'digital-ocean': [[`dop_v1_${HEX}`, HEX, 'api_v1_forecast']],
  vault: [[tokenOf('hvs.', 30), LETTERS.slice(2, 20), 'hvs.short']],
  databricks: [[`dapi${HEX.slice(0, 32)}`, HEX.slice(0, 30), 'dapi2']],
  grafana: [[tokenOf('glsa_', 41), LETTERS.slice(2, 30), 'glsa_1']],
  twilio: [[`SK${HEX.slice(0, 32)}`, HEX.slice(0, 30), 'SK1234']],
  telegram: [[`bot 123456789:A${LETTERS.slice(0, 34)}`, LETTERS.slice(2, 30), 'ratio 12345:Abc']],
  age: [[`AGE-SECRET-KEY-1${capitals.slice(0, 58)}`, capitals.slice(2, 40), 'AGE-SECRET-KEY-1']],
  'curl-user': [['curl -u weather:hunter2 x', 'hunter2', 'tar -u archive']],
  option: [['wget --http-password hunter2 x', 'hunter2', 'run --max-token 5 --seed 42']],
  environment: [
    ['BT_PW=hunter2', 'hunter2', 'BAROGRAPH_METRICS_PORT=9464'],
    ['DB_PASS=hunter2 next', 'hunter2', 'PASSES=3'],
  ],
  'query-parameter': [
    ['GET /x?key=hunter2&y=1', 'hunter2', 'GET /x?hotkey=5Miner'],
    ['GET /x?y=1&auth=hunter2', 'hunter2', 'GET /x?author=me'],
    ['GET /x?pass=hunter2', 'hunter2', 'GET /x?passes=2'],
  ],
  named: [
    ['{"secretSeed":"hunter2"}', 'hunter2', '{"seeds":2}'],
    ['{"a":{"secretPhrase":"hun\\"ter2"}}', 'ter2', '{"phrase":"rain at last"}'],
    ['body "{\\"password\\":\\"hunter2\\"}"', 'hunter2', 'max_tokens=5'],
    ['api_key: hunter2', 'hunter2', 'hotkey: 5Miner'],
  ],
  weak: [
    ['connect pass=hunter2', 'hunter2', 'second pass: 3 of 5, bypass=x'],
    ['{"auth":"hunter2","pw":"hunter2"}', 'hunter2', '{"auth":{"kind":"none"},"pass":3}'],
  ],
  seed: [[`seed 0x${HEX}`, HEX, 'seed 42 of the miners, seed=7']],
  prose: [
    ['password is swordfish', 'swordfish', 'password is wrong'],
    ['passwd swordfish refused', 'swordfish', 'no passwd file'],
    ['token hunter2X rejected', 'hunter2X', 'Unexpected token < in JSON, token expired'],
    ['the secret was "sword fish"', 'fish', 'password authentication failed for user "weather"'],
  ],
  'key-in-prose': [[`fernet key ${HEX}`, HEX, 'no symmetric key found']],
};

const ALL = Object.entries(SAMPLES).flatMap(([name, samples]) =>
  samples.map((sample) => [name, ...sample] as const),
);

describe('SECRET_RULES', () => {
  it.each(ALL)('%s: the secret in %j is hidden, wherever the text stands', (_name, text, secret) => {
    expect(text).toContain(secret);
    for (const around of [text, `it says ${text}`, JSON.stringify({ error: text }), `a\n${text}\nb`]) {
      for (const hidden of [hideSecretValues(around), scrubText(around)]) {
        expect(hidden).not.toContain(secret);
        expect(hideSecretValues(hidden)).toBe(hidden);
      }
    }
    expect(JSON.stringify(hideSecrets([{ error: text }]))).not.toContain(secret);
    expect(JSON.stringify(scrubValue([{ error: text }]))).not.toContain(secret);
  });

  it.each(ALL)(
    '%s: what nearly has the form of the secret stays (not %j, %j)',
    (_name, _text, _secret, nearMiss) => {
      expect(hideSecretValues(nearMiss)).toBe(nearMiss);
    },
  );

  it.each(Object.entries(SAMPLES))(
    '%s: one of its hints occurs in every text that it changes',
    (name, samples) => {
      const { hints, hide } = SECRET_RULES[name as keyof typeof SECRET_RULES];
      for (const [text] of samples) {
        const isHinted = holdsMnemonic(text) || hints.some((hint) => text.toLowerCase().includes(hint));
        expect(hide(text) === text || isHinted, text).toBe(true);
      }
      expect(samples.some(([text]) => hide(text) !== text)).toBe(true);
    },
  );

  it('the texts of a good run hold no secret', () => {
    for (const text of [
      '2026-11-23T18:04:00.123Z',
      '5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX',
      'c868cfc6-3641-44c6-82f7-3d0eb3a0d155',
      `/forecasts/c868cfc6.zarr/.zmetadata ${HEX}`,
      'era5_scoring_72h',
      '{"cycles":["2026-11-23T00Z"],"bytes":5120,"missing_variables":["z500"]}',
      'The miner answered with an error: table weather is open, above normal area, then the year began',
    ])
      expect(hideSecretValues(text)).toBe(text);
  });

  it('hiding is idempotent, whatever secrets stand beside each other', () => {
    const part = fc.oneof(
      fc.constantFrom(...ALL.map(([, text]) => text)),
      fc.constantFrom(
        ' ',
        '"',
        "'",
        '=',
        ':',
        '{',
        '}',
        ',',
        '&',
        '\\',
        '\n',
        'token',
        'password is ',
        'seed ',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const once = hideSecretValues(parts.join(''));
        expect(hideSecretValues(once)).toBe(once);
      }),
      { numRuns: 2000, seed: 20261130 },
    );
  });

  it('hiding takes linear time, whatever the text is made of', () => {
    const started = performance.now();
    const units = [
      'a ',
      'legal ',
      'mnemonic ',
      'seed phrase: a ',
      'token ',
      'a@',
      'http://a:',
      '--a',
      '"pass":"',
      'eyJ',
      'A_',
      '\\"',
      'password is ',
      '1:A',
      'sk-',
      '-u a',
      '{"a":',
    ];
    for (const unit of units)
      expect(hideSecretValues(unit.repeat(8192 / unit.length)).length).toBeGreaterThan(0);
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

describe('hideSecrets', () => {
  it('a value without secrets comes back as it is, and is not copied', () => {
    const value = { a: ['x', { b: 1, c: null, hotkey: '5Miner' }], port: 80 };
    expect(hideSecrets(value)).toBe(value);
  });

  it('values are hidden by their key, texts by their form; of a weak name only a text is a secret', () => {
    expect(
      hideSecrets({ seed: '//Alice', pass: 3, api_key: 5, list: ['Bearer abcdef'], secretSeed: 'x' }),
    ).toEqual({
      seed: '[secret]',
      pass: 3,
      api_key: '[secret]',
      list: ['Bearer [token]'],
      secretSeed: '[secret]',
    });
  });
});
