import { messageOf } from '../../errors.ts'
import { runSetupCommand } from './command.ts'
import { faultOf } from './inspect.ts'
import { keysOf, listBaseFiles, type KeyedStep, type SetupKey } from './key.ts'
import { membersOf } from './members.ts'
import { createResults, type ResultsOptions } from './results.ts'
import { pack, type SetupPlace, unpack } from './tar.ts'

export type { SetupKey } from './key.ts'

type Wanted = {
  steps: readonly KeyedStep[]
  /** What all of them depend on, beside the base. */
  ground: readonly string[]
  base: { gitDir: string; commit: string }
}
/** `roots`: what is kept, as paths from the folder of the place. */
type Keeping = SetupPlace & { key: string; roots: readonly string[] }
type Outcome = { bytes: number } | { why: string }

/**
 * What setup steps have made, kept for runs that would make the same. Packed and unpacked inside sandboxes, and only bytes
 * come out: no program of the host reads a tree that others wrote.
 */
export function createSetups(options: ResultsOptions) {
  const results = createResults(options)
  return {
    run: runSetupCommand,

    /** What the result of each step is kept as. */
    async keysOf({ steps, ground, base }: Wanted): Promise<SetupKey[]> {
      if (results.maxBytes === 0 || steps.every(({ keep }) => keep.length === 0)) return steps.map(() => null)
      return keysOf(steps, ground, await listBaseFiles(base.gitDir, base.commit))
    },

    /** undefined: there is none. `why`: there was one that could not be used, and it is gone. */
    async putBack({ key, roots, ...place }: Keeping): Promise<Outcome | undefined> {
      const found = await results.find(key)
      if (found === undefined) return undefined
      if (found === 'broken') return { why: 'it was broken' }
      await using result = found
      const fault = await faultOf(membersOf(result.readAt, result.bytes), roots)
      const failed = fault === undefined ? await unpack(place, roots, result) : { why: fault }
      if (failed) await results.remove(key)
      return failed ?? { bytes: result.bytes }
    },

    /** Keeps what a step made. Rejects with the signal's reason alone: a run does not fail because something is not kept. */
    async keep({ key, roots, ...place }: Keeping): Promise<Outcome> {
      try {
        await using draft = await results.draft()
        const failed = await pack(place, roots, draft.write)
        const why = failed?.why ?? (await faultOf(membersOf(draft.readAt, draft.size()), roots))
        if (why !== undefined) return { why }
        await draft.keep(key)
        await results.sweep()
        return { bytes: draft.size() }
      } catch (error) {
        place.signal.throwIfAborted()
        return { why: messageOf(error) }
      }
    },

    sweep: () => results.sweep(),
    measure: () => results.measure(),
  }
}
export type Setups = ReturnType<typeof createSetups>
