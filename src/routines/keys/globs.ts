import { z } from 'zod'

const Glob = z
  .string()
  .regex(/^!?(?!\.?\/)(?!!)./, 'must be a path from the root of the repository, such as src/** or !docs/**')
  .max(200)
/** Of paths, as `isChanged` reads them. */
export const Globs = z
  .union([Glob, z.array(Glob).min(1).max(100)])
  .refine((globs) => [globs].flat().some((glob) => !glob.startsWith('!')), 'must have an entry without !')
