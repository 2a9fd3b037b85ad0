import { createFolderSource } from '../routines/folder-source.ts'
import { openLibrary, type Library } from '../routines/library.ts'
import { applyRoutines } from '../triggers/apply-routines.ts'
import type { Ground } from './ground.ts'
import { createMemory } from './memory.ts'

/** The routines as a command sees them: looked at once, and put in force by nobody. */
export async function openRoutinesOnce(ground: Ground, building: AsyncDisposableStack): Promise<Library> {
  const library = await openLibrary({
    ...foundationOf(ground),
    // `overnight check` is the command that speaks of the folder; others would only repeat it.
    log: ground.log.child({}, { level: 'error' }),
    watch: false,
  })
  return building.use(library)
}

/** The routines as the service sees them: what the files say is in force, and stays so until `building` closes it. */
export async function openRoutines(ground: Ground, building: AsyncDisposableStack): Promise<Library> {
  const { ledger, log } = ground
  const onChange = (files: Parameters<typeof applyRoutines>[1]) => applyRoutines(ledger, files)
  const library = building.use(await openLibrary({ ...foundationOf(ground), log, onChange }))
  building.defer(await ledger.watchRoutines(() => void library.rescan()))
  return library
}

function foundationOf(ground: Ground) {
  const { config, read } = ground
  const source = createFolderSource({ dir: config.routinesDir, operator: config.operator })
  return { source, read, memory: createMemory(ground) }
}
