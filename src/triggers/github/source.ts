import { asksForFiles } from '../../routines/keys/condition.ts'
import type { GitHubTrigger, Routine } from '../../routines/routine.ts'
import { holds } from '../condition.ts'
import type { OutsideEvent, Source, Verdict } from '../source.ts'
import { type Near, whyNobody } from '../why-nobody.ts'
import { commandIn, isAbout, isSame, pushedFiles, wantedBy } from './match.ts'
import { createNames } from './names.ts'
import { originOf, ourBranch, type AskedOf, type Origin } from './origin.ts'
import { readGitHub } from './read.ts'
import { dependsOnPermission, isMachines, isOurs, refusalOf, type Known, type Self } from './who-may.ts'

/** What is asked of GitHub about an event; what throws because GitHub is away is asked again later. */
export type Asking = {
  isSignedIn: boolean
  self(): Promise<Self | undefined>
  permissionOf(repository: string, login: string): Promise<string>
  changedFiles(repository: string, pull: number): Promise<readonly string[]>
  isFromFork(repository: string, about: AskedOf): Promise<boolean>
  /** The name of a repository of GitHub's that is written there; undefined when it lies elsewhere. */
  nameAt(written: string): string | undefined
  /** How GitHub calls a repository now; undefined when it lies elsewhere. */
  nameOf(written: string): Promise<string | undefined>
}
export type GitHubSourceTools = {
  github: Asking
  /** Runs of ours between a cause outside and the one that last pushed any of this; undefined: none did. */
  runDepth(repository: string, pushed: Pushed): Promise<number | undefined>
  /** Nothing more is asked that no event waits for. */
  signal?: AbortSignal
}

/** What a run of ours may have pushed. */
export type Pushed = { branch: string } | { commit: string | null; pull: number | null }

/** Events of GitHub: which routines they are for, and whether their sender may cause a run. */
export function createGitHubSource({ github, runDepth, signal }: GitHubSourceTools): Source {
  const names = createNames({ ...github, signal })

  async function filesOf(event: OutsideEvent): Promise<readonly string[] | undefined> {
    if (event.event === 'push') return pushedFiles(event.payload)
    const pull = pullOf(event)
    return pull === undefined ? undefined : github.changedFiles(event.repository!, pull)
  }

  async function holdsFor(trigger: GitHubTrigger, event: OutsideEvent): Promise<boolean> {
    if (trigger.if === null) return true
    const changed = asksForFiles(trigger.if) ? await filesOf(event) : undefined
    return holds(trigger.if, { payload: event.payload, changed })
  }

  async function ask(trigger: GitHubTrigger, event: OutsideEvent, origin: Origin): Promise<Known> {
    const { allow } = trigger
    const isOwn = isOurs(event, origin, await github.self())
    const { isFork: told } = origin
    // What is allowed need not be found out.
    const isFork = typeof told === 'boolean' ? told : !allow.forks && (await github.isFromFork(event.repository!, told))
    const permission =
      !isOwn && dependsOnPermission(origin, allow) ? await github.permissionOf(event.repository!, origin.sender!) : null
    return { isOurs: isOwn, isFork, permission }
  }

  /** Only what nobody did by hand goes on counting: a person's act on our branch is a cause of its own. */
  async function depthOf(event: OutsideEvent, origin: Origin): Promise<number> {
    const { branch, commit, pull } = origin
    if (!isMachines(event, origin) || (branch !== null && !ourBranch.test(branch))) return 0
    if (branch === null && commit === null && pull === null) return 0
    const before = await runDepth(event.repository!, branch === null ? { commit, pull } : { branch })
    return before === undefined ? 0 : before + 1
  }

  async function judgeOne(trigger: GitHubTrigger, event: OutsideEvent, routine: Routine): Promise<Verdict> {
    const origin = originOf(event)
    if (!github.isSignedIn && dependsOnPermission(origin, trigger.allow))
      return {
        act: 'refuse',
        reason: 'nobody is signed in at GitHub, so that it cannot be asked what its sender may do',
      }
    const refusal = refusalOf(origin, await ask(trigger, event, origin), trigger.allow)
    if (refusal !== undefined) return { act: 'refuse', reason: refusal }
    const subject = event.subject === null ? {} : { subject: event.subject }
    const depth = await depthOf(event, origin)
    return { act: 'fire', ...broughtBy(trigger, event, routine), ...subject, ...(depth === 0 ? {} : { depth }) }
  }

  const at = (routine: Routine) => github.nameAt(routine.repository!)

  return {
    trigger: 'github',
    listens: (routine) => routine.github.length > 0 && routine.repository !== null,
    whyNobody(event, routines) {
      const { repository } = event
      if (repository === null) return null
      const named = routines.filter((one) => isWritten(one, repository) && isSame(at(one), repository))
      const near = named.map((routine) => nearTo(event, routine))
      return whyNobody(near) ?? `no routine with on.github names ${repository} as its repository`
    },
    read: readGitHub,
    async decide(event, routine) {
      const about = routine.github.filter((trigger) => isAbout(trigger, event))
      if (about.length === 0 || event.repository === null) return { act: 'pass' }
      const isMeant = names.means(routine.repository!, event.repository)
      if (isMeant === undefined)
        return { act: 'unknown', why: `GitHub is being asked whether ${routine.repository} is ${event.repository} now` }
      if (!isMeant) return { act: 'pass' }
      let refused: Verdict | undefined
      for (const trigger of about) {
        if (!(await holdsFor(trigger, event))) continue
        const verdict = await judgeOne(trigger, event, routine)
        if (verdict.act === 'fire') return verdict
        refused ??= verdict
      }
      return refused ?? { act: 'pass' }
    },
  }
}

function nearTo(event: OutsideEvent, { name, github }: Routine): Near {
  const isItsKind = github.some((trigger) => isAbout(trigger, event))
  return { routine: name, wants: isItsKind ? null : [...new Set(github.map(wantedBy))].join(' or ') }
}

/** However it is written: of ten thousand routines few come that far. */
function isWritten({ repository }: Routine, name: string): boolean {
  return repository?.toLowerCase().includes(name.toLowerCase()) ?? false
}

/** What follows a command is an input where the routine has one called `text`, and stands in the event in any case. */
function broughtBy(trigger: GitHubTrigger, event: OutsideEvent, routine: Routine) {
  const command = trigger.kind === 'command' ? commandIn(event) : undefined
  if (!command) return { inputs: {} }
  const text = command.text.replaceAll('\0', '').toWellFormed()
  const isTaken = text !== '' && routine.inputs['text']?.type === 'string'
  return { inputs: isTaken ? { text } : {}, payload: { command: { word: command.word, text } } }
}

function pullOf({ subject }: OutsideEvent): number | undefined {
  return subject?.startsWith('pr-') ? Number(subject.slice(3)) : undefined
}
