import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { fixtures, type Place } from './place.ts'

/** What it says of itself, and how it costs its reader nothing. */
export function whatItSays(at: Place): void {
  const { confines, namespaced, fixture } = at
  describe('what it says it does not do', () => {
    test('notes', () => {
      const said = at.sandbox.notes.join('\n')
      expect(/network is not limited/.test(said)).toBe(!confines)
      expect(/no boundary/.test(said)).toBe(!confines)
      expect(/may outlive/.test(said)).toBe(!confines && !namespaced)
    })

    // Walls say so of what this machine cannot limit; bombs try the rest.
    if (!confines)
      test.for(['memory is', 'processor time is', 'the number of processes is', 'disk is'])(
        '%s not limited',
        (limit) => {
          expect(at.sandbox.notes).toContain(`${limit} not limited`)
        },
      )
  })

  // The reader is the same without namespaces, so these seconds are spent once less.
  if (namespaced)
    test.for([
      ['without newlines', ['head', '-c', '1000000000', '/dev/zero']],
      ['in lines', ['sh', '-c', 'yes "a line of output that is neither short nor long" | head -c 1000000000']],
    ] as const)('1 GB %s costs the reader no memory', { timeout: 60_000 }, async ([, argv]) => {
      const { stdout } = await promisify(execFile)(process.execPath, [
        join(fixtures, 'drink.ts'),
        fixture,
        at.folder,
        ...argv,
      ])
      const { bytes, longest, grownBytes } = JSON.parse(stdout) as Record<string, number>
      expect({ bytes, longest }).toEqual({
        bytes: 1_000_000_000,
        longest: expect.toSatisfy((n: number) => n > 8000 && n <= 16_384),
      })
      // Some 20 MB where the machine is idle; a busy one collects its garbage late. Of a gigabyte both are nothing.
      expect(grownBytes).toBeLessThan(160 * 1024 * 1024)
    })
}
