import { describe, expect, it } from 'vitest';
import { messageOf } from '#semconv/message-of';

describe('the message of what was thrown', () => {
  it.each([
    [new TypeError('no such thing'), 'no such thing'],
    [new Error(''), ''],
    ['a text', 'a text'],
    [undefined, 'undefined'],
    [null, 'null'],
    [42, '42'],
  ])('the message of what was thrown of %o is %o', (thrown, message) => {
    expect(messageOf(thrown)).toBe(message);
  });
});
