import { join } from 'node:path'
import type { EngineTask } from '../../src/engines/engine.ts'
import type { Sandbox } from '../../src/sandboxes/sandbox.ts'

/** A task with everything at its default, in `folder`. */
export function engineTask({
  sandbox,
  folder,
  argv = [],
}: {
  sandbox: Sandbox
  folder: string
  argv?: string[]
}): EngineTask {
  return {
    sandbox,
    cwd: folder,
    argv,
    programs: [],
    prompt: '',
    files: {
      prompt: join(folder, 'prompt.md'),
      inputs: join(folder, 'inputs.json'),
      event: join(folder, 'event.json'),
      routineDir: folder,
    },
    connectors: null,
    model: null,
    effort: null,
    limits: { usd: null, turns: null },
    home: { own: join(folder, 'home'), trusted: join(folder, 'trusted') },
    resume: null,
    modelToken: null,
    way: {},
    signal: new AbortController().signal,
  }
}
