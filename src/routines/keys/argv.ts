import { z } from 'zod'

export const Argv = z
  .array(z.string().regex(/^[^\0]*$/, 'must not contain a NUL'))
  .min(1)
  .describe('The program and its arguments; no shell reads them.')
