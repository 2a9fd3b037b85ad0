import { createRequire } from 'node:module'
import type { OutsideEvent } from '../../../src/triggers/source.ts'
import { readGitHub } from '../../../src/triggers/github/read.ts'

export type Payload = Record<string, unknown> & { action?: string }
/** GitHub's own examples: every event there is, as it arrives. */
export const examples = (
  createRequire(import.meta.url)('@octokit/webhooks-examples') as { name: string; examples: Payload[] }[]
).flatMap(({ name, examples: payloads }) => payloads.map((payload, index) => ({ name, index, payload })))

/** The first example of an event that has this action. */
export function exampleOf(name: string, action?: string): Payload {
  const found = examples.find((one) => one.name === name && (action === undefined || one.payload.action === action))
  if (!found) throw new Error(`there is no example of ${name} ${action ?? ''}`)
  return structuredClone(found.payload)
}

/** As it is once it was received and read. */
export function eventOf(event: string, payload: object): OutsideEvent {
  const read = readGitHub({ id: 'd1', event, body: Buffer.from(JSON.stringify(payload)) })
  if ('refused' in read) throw new Error(read.refused)
  return read
}
