import { createHash } from 'node:crypto'
import { messageOf, OvernightError } from '../errors.ts'
import type { Check } from '../forges/github/checks.ts'
import { nameAt } from '../forges/github/names.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Log } from '../log.ts'
import { checkOf } from '../publish/routines-check.ts'
import type { LibrarySnapshot } from '../routines/library/in-force.ts'
import { createInTurn } from '../routines/library/in-turn.ts'
import type { Ground } from './ground.ts'

/**
 * Tells each commit of the routines' repository on GitHub that is looked at what became of it; undefined where there is nobody to
 * tell. Whoever looks does not wait for it. `building` ends it.
 */
export function openRoutinesCheck(ground: Ground, building: AsyncDisposableStack) {
  const { config, github, ledger, log } = ground
  const { routinesIn: place } = config
  const { notices, desk } = github
  const isOnGitHub = place && nameAt(new URL(config.github.url).host, place.repository) !== undefined
  if (!isOnGitHub || !notices) return undefined
  const teller = createTeller({
    ledger,
    log,
    async write(check, signal) {
      const name = await desk.nameOf(place.repository)
      if (name !== undefined) await notices.ensureCheck(name, check, signal)
    },
  })
  building.defer(() => teller.stop())
  return (commit: string, files: LibrarySnapshot) => void teller.tell(checkOf({ commit, files }, place))
}

type TellerTools = { ledger: Ledger; log: Log; write(check: Check, signal: AbortSignal): Promise<void> }

/** What is known of the last verdict by all processes: it is being told, or was. */
const settingKey = 'routines.check'
/** Telling takes no longer; who was killed meanwhile is not waited for. */
const claimMs = 180_000

/** Tells the newest verdict, once for all processes; what could not be told is tried again when it is heard of again. */
export function createTeller({ ledger, log, write }: TellerTools) {
  const stopped = new AbortController()
  const state = { newest: undefined as Check | undefined, told: '', said: '' }
  const by = 'service'

  /** Whose turn it is to tell this. */
  const claim = (verdict: string): Promise<'mine' | 'theirs' | 'told'> =>
    ledger.transaction(async (tx) => {
      await tx.oneAtATime(settingKey)
      const row = await tx.settings.find(settingKey)
      const now = (await tx.now()).getTime()
      if (row?.value['verdict'] === verdict) {
        if (row.value['isTold'] === true) return 'told'
        if (now - row.at.getTime() < claimMs) return 'theirs'
      }
      if (now < Number(row?.value['notBeforeMs'] ?? 0)) return 'theirs'
      await tx.settings.put(settingKey, { verdict, isTold: false }, by)
      return 'mine'
    })

  async function act(): Promise<void> {
    const check = state.newest!
    const verdict = createHash('sha256').update(JSON.stringify(check)).digest('hex')
    if (verdict === state.told) return
    try {
      const turn = await claim(verdict)
      if (turn === 'theirs') return
      if (turn === 'mine') await tellNow(check, verdict)
      state.told = verdict
      state.said = ''
    } catch (error) {
      if (!stopped.signal.aborted) say(check, error)
    }
  }
  async function tellNow(check: Check, verdict: string): Promise<void> {
    try {
      await write(check, stopped.signal)
    } catch (error) {
      // A limit is the same for the next verdict.
      const waitMs = error instanceof OvernightError ? error.retryAfterMs : undefined
      const value = waitMs === undefined ? {} : { notBeforeMs: (await ledger.now()).getTime() + waitMs }
      await ledger.settings.put(settingKey, value, by)
      throw error
    }
    await ledger.settings.put(settingKey, { verdict, isTold: true }, by)
  }
  /** It is tried at every look, and said once. */
  function say({ commit }: Check, error: unknown): void {
    const why = error instanceof OvernightError ? error.code : messageOf(error)
    if (state.said === why) return
    state.said = why
    const hint = error instanceof OvernightError && error.hint !== undefined ? { hint: error.hint } : {}
    log.warn(
      { commit, error: messageOf(error), ...hint },
      'the check of the routines could not be set; the next look tries again',
    )
  }
  const turns = createInTurn(act)
  return {
    /** Resolves when it was told, or not. Never rejects. */
    async tell(check: Check): Promise<void> {
      if (stopped.signal.aborted) return
      state.newest = check
      await turns.run()
    },
    async stop(): Promise<void> {
      stopped.abort()
      await turns.idle()
    },
  }
}
