import { expect, test } from 'vitest'
import { z } from 'zod'
import { refuseInvalid } from '../../src/http/refuse.ts'

test.each([
  [z.record(z.string(), z.string()), [], 'the request: must be of type object, and is array'],
  [z.object({ name: z.string() }), {}, 'name: must be of type string, and is nothing'],
  [z.object({ name: z.string().refine(() => false, 'must be mine') }), { name: 'a' }, 'name: must be mine'],
])('what is wrong with a request is said in plain words: %#', (schema, value, says) => {
  const error = schema.safeParse(value).error!.issues
  expect(() => refuseInvalid({ success: false, error }, undefined as never)).toThrow(says)
})
