import { expect, test } from 'vitest'
import { z } from 'zod'
import { inPlainWords } from '../../src/http/plain-words.ts'

const sentencesOf = (schema: z.ZodType, value: unknown) =>
  schema.safeParse(value).error!.issues.map(({ message }) => inPlainWords(message))
const count = z.coerce.number().int().min(1).max(5)

test.each<[z.ZodType, unknown, string]>([
  [z.record(z.string(), z.string()), [], 'must be of type object, and is array'],
  [z.string(), undefined, 'must be of type string, and is nothing'],
  [count, 'x', 'must be of type number, and is no number'],
  [count, '1.5', 'must be a whole number'],
  [count, '0', 'must be at least 1'],
  [count, '9', 'must be at most 5'],
  [z.number().positive(), -1, 'must be more than 0'],
  [z.string().min(1), '', 'must not be empty'],
  [z.string().max(2), 'abc', 'must have at most 2 characters'],
  [z.array(z.string()).min(1), [], 'must not be empty'],
  [z.array(z.string()).min(2), ['a'], 'must have at least 2 entries'],
  [z.enum(['fire', 'read']), 'write', 'must be one of "fire", "read"'],
  [z.literal('x'), 'y', 'must be "x"'],
  [z.strictObject({}), { inputz: 1 }, 'has what nobody reads: "inputz"'],
  [z.iso.datetime(), 'tomorrow', 'must be a time such as 2026-11-21T09:00:00Z'],
  [z.url(), 'x', 'must be an address such as https://host/path'],
  [z.record(z.string().regex(/^a/), z.string()), { b: 'x' }, 'is no name that may be written here'],
  [z.string().regex(/^a$/), 'b', 'is not of the form that is expected'],
  [z.union([z.string(), z.number()]), true, 'is of no kind that may be written here'],
  [z.string().refine(() => false, 'must be mine'), 'a', 'must be mine'],
])('what a schema refuses is told without its words: %#', (schema, value, says) => {
  expect(sentencesOf(schema, value)).toEqual([says])
})
