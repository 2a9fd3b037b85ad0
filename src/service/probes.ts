import { createSetups } from '../checkout/setup/index.ts'
import type { Config } from '../config.ts'
import { findClaude } from '../engines/claude-program.ts'
import { nameAt } from '../forges/github/names.ts'
import { findAppHook, findCheckRight, type Found } from '../forges/github/rights.ts'
import { whoAmI } from '../forges/github/who.ts'
import { addressOf, waitForServer } from '../ledger/postgres/first-contact.ts'
import { createLog } from '../log.ts'
import { probeRedis, type RedisSafety } from '../queue/redis-safety.ts'
import { createSandboxDrivers, probeSandboxes } from '../sandboxes/index.ts'
import { sandboxSettings } from './sandboxes.ts'

export type SandboxFound = {
  name: string
  /** undefined = it works. */ why: string | undefined
  about: string | undefined
}

/** Every sandbox, and why it does not work on this machine. Each one is really started. */
export async function findSandboxes(config: Config): Promise<SandboxFound[]> {
  const drivers = createSandboxDrivers(sandboxSettings(config))
  const probes = await probeSandboxes(drivers)
  const found = Object.values(drivers).map(async ({ name, about }) => ({
    name,
    why: probes[name],
    about: await about?.(),
  }))
  return Promise.all(found)
}

/** How many results of setup steps are kept here, and what they take. */
export const keptSetups = ({ paths, setupCacheBytes }: Config): Promise<{ count: number; bytes: number }> =>
  createSetups({ folder: paths.setups, maxBytes: setupCacheBytes }).measure()

/** The operator's own coding agent. Throws StepFailed('no_agent') with how to install it. */
export const findAgent = (path: string): Promise<{ version: string; path: string }> => findClaude(path)

/** Whom GitHub takes us for; undefined when nobody is signed in. Throws StepFailed with what to do. */
export const signedInAs = (github: Config['github']): Promise<string | undefined> => whoAmI(github)

/** Whether the App's webhook writes to us; undefined: nobody said that it should. Throws StepFailed. */
export async function appHook({ github: { url, auth }, publicUrl, gitHubSecrets }: Config): Promise<Found | undefined> {
  if (auth?.kind !== 'app' || gitHubSecrets.current === undefined) return undefined
  return findAppHook({ url, auth }, publicUrl)
}

/** Whether commits of the routines' repository may be told what became of them; undefined: there is none on GitHub. Throws StepFailed. */
export async function checkRight({ github: { url, auth }, routinesIn }: Config): Promise<Found | undefined> {
  const name = routinesIn && nameAt(new URL(url).host, routinesIn.repository)
  return auth && name !== undefined ? findCheckRight({ url, auth }, name) : undefined
}

/** Where the ledger is. Throws SetupError with what to do when it cannot live there. */
export async function askPostgres(databaseUrl: string): Promise<string> {
  await waitForServer({ databaseUrl, log: createLog('silent'), patienceMs: 0 })
  return addressOf(databaseUrl)
}

export const askRedis = (url: string): Promise<RedisSafety | { unreachable: string }> => probeRedis(url)
