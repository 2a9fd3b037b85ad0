import type { EngineTask } from './engine.ts'

/** Where an agent's programs find what the prompt was made of. */
export const environmentOf = ({ files }: Pick<EngineTask, 'files'>) => ({
  OVERNIGHT_PROMPT_FILE: files.prompt,
  OVERNIGHT_INPUTS_FILE: files.inputs,
  OVERNIGHT_EVENT_FILE: files.event,
  OVERNIGHT_ROUTINE_DIR: files.routineDir,
})
