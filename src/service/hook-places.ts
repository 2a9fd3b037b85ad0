import { createHooks, type Hook } from '../forges/github/hooks.ts'
import type { Routine } from '../routines/routine.ts'
import type { Ground } from './ground.ts'

type HookPlace = { name: string; hooks(): Promise<readonly Hook[]> }

/** From where GitHub writes to us: the App, or each repository that something here hears of. undefined: from nowhere. */
export function hookPlacesOf(
  ground: Ground,
  routines: () => Promise<readonly Routine[]>,
): (() => Promise<readonly HookPlace[]>) | undefined {
  const { config, github } = ground
  const { publicUrl, gitHubSecrets, routinesIn, webhooksIn } = config
  const hooks = createHooks({ url: config.github.url, auth: config.github.auth, publicUrl })
  // Without a secret nothing that GitHub sends is accepted, and what is sent again would not be either.
  if (hooks === undefined || gitHubSecrets.current === undefined) return undefined
  if (hooks.of === 'app') return async () => [{ name: hooks.hook.name, hooks: async () => [hooks.hook] }]

  return async () => {
    const listening = (await routines()).filter((routine) => routine.github.length > 0)
    const written = [...listening, routinesIn, webhooksIn].flatMap((one) => one?.repository ?? [])
    const names = new Set(written.flatMap((one) => github.desk.nameAt(one) ?? []))
    return [...names].map((name) => ({
      name,
      hooks: async () => hooks.find((await github.desk.nameOf(name)) ?? name),
    }))
  }
}
