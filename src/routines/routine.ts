import type { Limits } from '../sandboxes/sandbox.ts'
import type { Condition } from './keys/condition.ts'
import type { ConnectorUse } from './connectors/connector.ts'
import type { Network } from './keys/network.ts'

/** A routine as the rest of the house sees it: parsed, defaults applied, nothing optional that has a default. */
export type Routine = {
  name: string
  /** Absolute path of the file; its folder is what relative repositories are relative to. */
  file: string
  /** The file's text as it was read, and its SHA-256 (hex). */
  source: string
  hash: string
  /** The commit of the repository the folder lives in, when the file is committed and unchanged; else null. */
  commit: string | null
  description: string
  prompt: string
  /** Several may be `written` in the same words. */
  schedules: (Schedule & { written: string })[]
  github: GitHubTrigger[]
  webhooks: WebhookTrigger[]
  after: Follow[]
  /** May it be fired by HTTP (`on.api: true`)? People (CLI, page) may always fire it. */
  api: boolean
  repository: string | null
  base: string | null
  /** What a run starts from. */
  checkout: 'base' | 'pull_request'
  /** `model` and `effort` are passed to the agent as they are; null = its own default. */
  engine: { name: string; command: string[]; model: string | null; effort: string | null }
  /** Before the agent starts, one after the other. */
  setup: SetupStep[]
  /** MCP servers that its agent may use. */
  connectors: ConnectorUse[]
  inputs: Record<string, InputSpec>
  /** null = the default order: docker, bubblewrap, then what design.md says. */
  sandbox: 'docker' | 'bubblewrap' | 'kubernetes' | 'process' | null
  network: Network
  /** Strangers' text and a repository meet in it, and its file does not say that they may without walls. */
  needsWalls: boolean
  /** `atOnce`: runs of it at work at the same time, whatever their concurrency keys; null = no limit of its own. */
  limits: { minutes: number; usd: number | null; turns: number | null; atOnce: number | null }
  /** What the agent may take with all it starts; what is left out is the operator's. */
  caps: Partial<Limits>
  overlap: Overlap
  /** A template; runs for which it is filled alike are held apart by `overlap`. null = all runs of the routine. */
  concurrency: string | null
  debounce: Debounce | null
  /** null = it starts when it is due. */
  pace: Pace | null
  /** So many failures one after the other pause it; 0 = never. */
  pauseAfter: number
  topic: string
  catchUp: CatchUp
  /** More than this, or anything else, waits for a person. `paths`: globs, the last that fits decides; null = any. */
  gate: { paths: string[] | null; maxFiles: number; maxBytes: number }
  pullRequest: { draft: boolean; labels: string[]; reviewers: string[]; title: string | null }
  /** Keys whose behaviour does not exist yet: `check` warns, a run ends `failed: not_available` naming them. */
  unavailable: Unavailable[]
}
/** `key` is the dotted path of what was written, such as `repository` or `limits.usd`. */
type Unavailable = Problem & { key: string }
/** `keep` are paths in the checkout, or in HOME (`~/…`); `when` are globs of files of the base, the last that fits decides. */
export type SetupStep = { run: string | string[]; when: string[]; keep: string[] }
/** Logins are compared without case. */
export type Allow = { users: string[]; bots: string[]; forks: boolean }
export type GitHubTrigger = { allow: Allow; if: Condition | null } & (
  | { kind: 'event'; event: string; actions: string[] | null }
  /** A comment that begins with `@overnight <word>`. */
  | { kind: 'command'; word: string }
  /** This label was added. */
  | { kind: 'label'; name: string }
)
export type Overlap = { mode: 'skip' | 'queue_one' | 'queue_all' | 'cancel_running'; parallel: number }
/** A run starts once nothing more came for `waitMs`, and at the latest `maxMs` after the first. */
export type Debounce = { waitMs: number; maxMs: number }
/** When runs may start; 0, null and an empty list mean no rule. Times of day are in `zone`. */
export type Pace = {
  zone: string
  jitterMs: number
  cooldownMs: number
  max: { runs: number; perMs: number } | null
  notBetween: Blackout[]
}
/** From a minute of the day on, for so many minutes, on days of the week (0 = Sunday) on which it begins. */
export type Blackout = { days: number[]; fromMinute: number; minutes: number }
/** `inputs` and `subject` are templates over the event. */
export type WebhookTrigger = {
  source: string
  /** null = every kind. */
  events: string[] | null
  if: Condition | null
  inputs: Record<string, string>
  subject: string | null
}
/** Due when a run of that routine ends so. */
type Follow = { routine: string; ends: string[] }
export type Schedule = { cron: string; timezone: string }
/** What becomes of slots that passed while nothing ran; `max` is how many of them `all` makes up for. */
export type CatchUp = { mode: 'none' | 'last' | 'all'; maxAgeMs: number; max: number }
export type InputSpec = {
  type: 'string' | 'number' | 'boolean'
  default?: string | number | boolean
  description?: string
  required: boolean
}
export type Inputs = Record<string, string | number | boolean>

/** Something wrong at a place in a file. Lines and columns start at 1. `hint` says what to do. */
export type Problem = { file: string; line: number; column: number; message: string; hint?: string }
