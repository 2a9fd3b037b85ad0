import { createFolderSource } from '../routines/library/folder-source.ts'
import { createGitSource } from '../routines/library/git-source.ts'
import { openLibrary, type Library } from '../routines/library/library.ts'
import type { Source } from '../routines/library/source.ts'
import { applyRoutines } from '../triggers/apply-routines.ts'
import type { Ground } from './ground.ts'
import { createMemory } from './memory.ts'
import { openRoutinesCheck } from './routines-check.ts'
import { createHeadLook } from './repository-head.ts'

/** The routines as a command sees them: looked at once, and put in force by nobody. */
export async function openRoutinesOnce(ground: Ground, building: AsyncDisposableStack): Promise<Library> {
  const library = await openLibrary({
    ...foundationOf(ground),
    source: sourceOfCommand(ground),
    // `overnight check` is the command that speaks of the folder; others would only repeat it.
    log: ground.log.child({}, { level: 'error' }),
    watch: false,
  })
  return building.use(library)
}

/**
 * The routines as the service sees them: what the files say is in force, and stays so until `building` closes it. `reached` is called
 * between reading them and putting them in force; fault tests end the process there.
 */
export async function openRoutines(
  ground: Ground,
  building: AsyncDisposableStack,
  reached: (step: 'routines_read') => void,
): Promise<Library> {
  const { ledger, log } = ground
  const check = openRoutinesCheck(ground, building)
  const onChange = (files: Parameters<typeof applyRoutines>[1]) => {
    reached('routines_read')
    return applyRoutines(ledger, files)
  }
  const library = building.use(
    await openLibrary({ ...foundationOf(ground), source: routinesSource(ground), log, onChange, onLook: check }),
  )
  // The branch is the same for everybody; folders of two machines may differ for good, and would take turns.
  const isShared = ground.config.routinesIn !== undefined
  building.defer(await ledger.watchRoutines(() => void (isShared ? library.heard() : library.rescan())))
  return library
}

function foundationOf(ground: Ground) {
  return { read: ground.read, memory: createMemory(ground), readings: ground.readings }
}

/** A folder of this machine, or one in a git repository. */
function routinesSource(ground: Ground): Source {
  const { routinesIn, routinesDir: dir, operator } = ground.config
  if (routinesIn === undefined) return createFolderSource({ dir, operator })
  const { name, folder } = routinesIn
  return createGitSource({ name, folder, dir, look: createHeadLook(ground, routinesIn) })
}

/** A command waits for no forge: what the service put in force is what it sees. */
function sourceOfCommand(ground: Ground): Source {
  const { routinesIn } = ground.config
  if (routinesIn === undefined) return routinesSource(ground)
  const missing = { message: 'no service is running that would look there', hint: 'overnight up' }
  return { name: routinesIn.name, read: async () => ({ missing }) }
}
