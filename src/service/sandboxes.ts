import type { Config } from '../config.ts'
import type { SandboxSettings } from '../sandboxes/index.ts'

export function sandboxSettings({ paths, operator, sandbox }: Config): SandboxSettings {
  return {
    // A routine in the project's root, or in the home folder, must not show the agent what else is there.
    hidden: [paths.data, operator.home],
    docker: { ...sandbox.docker, folder: paths.docker, data: paths.data },
    limits: sandbox.limits,
  }
}
