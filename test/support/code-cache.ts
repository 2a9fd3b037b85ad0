import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** For the environment of a process of ours whose home is new: it finds what earlier ones compiled. */
export const codeCache = { NODE_COMPILE_CACHE: join(tmpdir(), 'overnight-test-code') }
