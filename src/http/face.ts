import type { PullDesk } from '../forges/forge.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Run } from '../ledger/schema.ts'
import type { Alert } from '../ledger/schema.ts'
import type { Log } from '../log.ts'
import type { Connectors } from '../routines/connectors/connectors.ts'
import type { Library, LibrarySnapshot } from '../routines/library/library.ts'
import type { Acts } from '../runs/acts.ts'
import type { KeptPrompt } from '../runs/kept-prompt.ts'
import type { TranscriptCursor, TranscriptPart } from '../runs/transcript.ts'
import type { Bound } from '../secrets/seal.ts'
import type { WebhookSecrets } from '../triggers/github/accept.ts'
import type { Receiver } from '../triggers/receive-deliveries.ts'
import type { WebhookDesk } from './hooks/webhook.ts'
import type { News } from './news.ts'
import type { SignIn } from './access/auth.ts'

/** What the HTTP side needs of the service. */
export type Face = {
  ledger: Ledger
  acts: Acts
  library: Library
  pulls: PullDesk
  news: News
  signIn: SignIn
  /** Parses a routine file that is run once. */
  readOnce(file: string, text: string): import('../routines/routine.ts').Routine
  /** What such files would put in force, if they were all there is. */
  readFiles(files: readonly { entry: string; text: string }[]): LibrarySnapshot
  transcriptOf(run: string, cursor: TranscriptCursor): Promise<TranscriptPart>
  /** What the agent of an attempt was told; undefined = nothing (yet). */
  promptOf(run: string, fence: number): Promise<KeptPrompt | undefined>
  /** The same runs, those that are queued with what they wait for now; runs that who asks may not see are not named. */
  explainWaits(runs: readonly Run[], maySee: (routine: string) => boolean): Promise<Run[]>
  /** Processes that take runs and were heard of lately. */
  workers(): ReturnType<Ledger['workers']['live']>
  /** `ok`, or what is wrong in one word; `faults` are the open alerts. */
  health(): { state: 'ok' | 'stopping' | 'degraded'; faults: readonly Alert[] }
  /** The way of events from outside into the ledger. */
  receiver: Receiver
  /** There is a delivery to settle that did not come from outside. */
  settle(): void
  gitHubSecrets: WebhookSecrets
  /** What signs our messages, newest first; made at first need. */
  signingSecrets(): Promise<string[]>
  /** A secret as the ledger may have it. */
  sealSecret(value: string, bound: Bound): Promise<Buffer>
  /** The address for a callback. Throws AddressRefused when it must not be asked. */
  callbackTo(written: string): string
  /** The address people use, when something stands in front of us. */
  publicUrl: string | undefined
  webhooks: WebhookDesk
  connectors: Pick<Connectors, 'snapshot'>
  /** Hosts (`name:port`) a browser may call us by. */
  allowedHosts: () => ReadonlySet<string>
  zone: string
  log: Log
}
