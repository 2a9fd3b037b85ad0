import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EngineTask } from '../engines/engine.ts'
import { fillPrompt } from '../routines/prompt.ts'
import type { Task } from './task.ts'

export type TaskFiles = { prompt: string; files: Omit<EngineTask['files'], 'routineDir'>; home: EngineTask['home'] }

/** The prompt, the inputs and the event as files, and the agent's own home: all outside the checkout, so never part of the patch. */
export async function writeTaskFiles(task: Task): Promise<TaskFiles> {
  const { run, routine } = task
  const folder = join(task.folder, 'task')
  const files = {
    prompt: join(folder, 'prompt.md'),
    inputs: join(folder, 'inputs.json'),
    event: join(folder, 'event.json'),
  }
  const home = { own: join(task.folder, 'agent', 'home'), trusted: join(task.folder, 'agent', 'trusted') }
  for (const path of [folder, home.own, home.trusted]) await mkdir(path, { recursive: true, mode: 0o700 })
  const prompt = fillPrompt(routine.prompt, promptValues(task))
  await writeFile(files.prompt, prompt)
  await writeFile(files.inputs, JSON.stringify(run.inputs))
  await writeFile(files.event, JSON.stringify({ trigger: run.trigger, slot: run.slotAt?.toISOString() ?? null }))
  return { prompt, files, home }
}

function promptValues({ run, routine }: Task): Record<string, unknown> {
  return {
    inputs: run.inputs,
    event: {},
    slot: { at: run.slotAt?.toISOString() ?? '' },
    routine: { name: routine.name },
    previous: {},
  }
}
