import type { EngineTask } from './engine.ts'

/** Where an agent's programs find what the prompt was made of, and what the run reaches. */
export const environmentOf = ({ files, connectors, way }: Pick<EngineTask, 'files' | 'connectors' | 'way'>) => ({
  ...way,
  OVERNIGHT_PROMPT_FILE: files.prompt,
  OVERNIGHT_INPUTS_FILE: files.inputs,
  OVERNIGHT_EVENT_FILE: files.event,
  OVERNIGHT_ROUTINE_DIR: files.routineDir,
  ...(connectors ? { OVERNIGHT_CONNECTORS_FILE: connectors.file } : {}),
})
