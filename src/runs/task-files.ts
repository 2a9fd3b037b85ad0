import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EngineTask } from '../engines/engine.ts'
import type { ConnectorsTold } from '../relay/environment.ts'
import { writeBrief } from './brief.ts'
import type { Task } from './task.ts'

export type TaskFiles = {
  prompt: string
  notes: string[]
  files: Omit<EngineTask['files'], 'routineDir'>
  home: EngineTask['home']
  /** HOME of setup steps and of what they leave for the agent; null where there are none, and HOME is the sandbox's own. */
  setupHome: string | null
}

/** The prompt, the inputs and the event as files, and the agent's own home: all outside the checkout, so never part of the patch. */
export async function writeTaskFiles(task: Task): Promise<TaskFiles> {
  const { run, routine, held, tools } = task
  const folder = join(task.folder, 'task')
  const files = {
    prompt: join(folder, 'prompt.md'),
    inputs: join(folder, 'inputs.json'),
    event: join(folder, 'event.json'),
  }
  const home = { own: join(task.folder, 'agent', 'home'), trusted: join(task.folder, 'agent', 'trusted') }
  // Not the agent's own, where its settings are.
  const setupHome = routine.setup.length === 0 ? null : join(task.folder, 'home')
  for (const path of [folder, home.own, home.trusted, ...(setupHome === null ? [] : [setupHome])])
    await mkdir(path, { recursive: true, mode: 0o700 })
  const nonce = newNonce()
  // Somebody outside may have come by one of our secrets, and an agent holds none.
  const { all } = tools.redaction
  const brief = all(writeBrief({ run, routine, background: await tools.backgroundOf(run), nonce }))
  await writeFile(files.prompt, brief.prompt)
  await tools.keepPrompt(run.id, held.fence, { prompt: brief.prompt, nonce })
  await writeFile(files.inputs, JSON.stringify(all(run.inputs)))
  await writeFile(files.event, JSON.stringify(brief.event))
  return { prompt: brief.prompt, notes: brief.notes, files, home, setupHome }
}

/** Beside the others, when the sandbox says where the way out is. It holds the credential of the run, which is on no command line. */
export async function writeConnectors(
  told: ConnectorsTold | undefined,
  folder: string,
): Promise<EngineTask['connectors']> {
  if (told === undefined) return null
  const file = join(folder, 'connectors.json')
  await writeFile(file, told.text)
  return { file, names: told.names }
}

/** New for each attempt, and made after what it marks was said. */
const newNonce = () => randomBytes(12).toString('hex')
