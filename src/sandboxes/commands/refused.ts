import { StepFailed } from '../../errors.ts'

type Wanted = { argv: readonly string[]; env: Readonly<Record<string, string>> }

export function noAgent({ argv, env }: Wanted): StepFailed {
  const program = argv[0] ?? ''
  return new StepFailed('no_agent', `the program ${JSON.stringify(program)} could not be found inside the sandbox`, {
    hint: program.includes('/')
      ? 'write the path of a file that may be executed and that the sandbox shows: a program of the system, or one in the repository'
      : `install ${program || 'it'} where the sandbox can see it (PATH=${env['PATH'] ?? ''}), or write its full path`,
  })
}

/** Its arguments are more than the system takes, or hold what no argument may. */
export function notStartable(program: string | undefined, why: string, cause?: unknown): StepFailed {
  return new StepFailed('no_agent', `${program ?? 'nothing'} could not be started: ${why}`, {
    hint: 'shorten its arguments or remove null characters from them',
    cause,
  })
}

export function noSandbox(why: string): StepFailed {
  return new StepFailed('no_sandbox', `the sandbox could not be started: ${why.trim().slice(0, 2000)}`, {
    retryable: true,
  })
}
