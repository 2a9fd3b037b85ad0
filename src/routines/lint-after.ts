import { placeAt, quoted } from './format.ts'
import { advice } from './nearest.ts'
import type { Problem, Routine } from './routine.ts'

/** Routines that others follow and that are not there: their ends would make nothing due. */
export function lintAfter(routines: readonly Routine[]): Problem[] {
  const names = routines.map(({ name }) => name)
  return routines.flatMap(({ file, source: text, after }) => {
    const unknown = new Set(after.map(({ routine }) => routine).filter((routine) => !names.includes(routine)))
    return [...unknown].map((routine) => {
      const at = text.search(new RegExp(`routine:\\s*["']?${routine}\\b`))
      const message = `there is no routine ${quoted(routine)} that this one could follow`
      return { file, ...placeAt(text, at), message, hint: advice(routine, names) }
    })
  })
}
