/** Where a value of a delivery stands: in a header (small letters), or at a path of the body. */
export type Place = { header: string } | { body: readonly string[] }

/** HMAC over what `signed` says, which names `{body}` and may name `{ts}` and `{id}`. */
export type HmacWay = {
  kind: 'hmac'
  header: string
  /** Between several signatures in the header; null = it is one. */
  separator: string | null
  /** Before each signature; what has another is passed over. */
  prefix: string
  algorithm: 'sha1' | 'sha256' | 'sha512'
  encoding: 'hex' | 'base64'
  /** How the secret is written: as it is, or base64 after `whsec_`. */
  key: 'text' | 'base64'
  signed: string
  /** `part`: the entry of the signature header that begins so. null = nothing says when it was sent. */
  timestamp: Place | { part: string } | null
  /** The header with the `{id}` that is signed. */
  id: string | null
  toleranceMs: number
}
/** The secret itself comes in a header. */
export type TokenWay = { kind: 'token'; header: string; prefix: string }
export type Way = HmacWay | TokenWay

/** What knowing a sender brings: how it proves itself, and where things stand in what it sends. */
export type Sender = {
  /** The first one whose header is there decides. */
  ways: readonly Way[]
  /** What the sender calls a delivery, the same at every try: the first place that has something. */
  id: readonly Place[]
  event: readonly Place[]
  /** What a sender wants to hear that takes only this for success. */
  acknowledge: 200 | 202
  /** It asks first whether we are there, and wants its `challenge` back. */
  challenges: boolean
}

/** A file in `webhooks/`, with everything filled in. */
export type WebhookSource = Sender & {
  name: string
  file: string
  description: string
  /** Names of secrets, the newer first; empty where nothing is received. */
  secrets: readonly string[]
  poll: Poll | null
}

export type Poll = {
  url: string
  everyMs: number
  /** Where the list stands in the answer; empty = the answer is the list. */
  items: readonly string[]
  id: readonly string[]
  /** Values may hold `secret:NAME`. */
  headers: Readonly<Record<string, string>>
}
