import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { messageOf } from '#semconv/message-of';

describe('messageOf', () => {
  it.each([
    [new TypeError('no such thing'), 'no such thing'],
    [new Error(''), ''],
    [runInNewContext(`new TypeError('of another realm')`), 'of another realm'],
    ['a text', 'a text'],
    [undefined, 'undefined'],
    [null, 'null'],
    [42, '42'],
  ])('messageOf(%o) is %o', (thrown, message) => {
    expect(messageOf(thrown)).toBe(message);
  });
});
