import { isUtf8 } from 'node:buffer'
import { messageOf } from '../errors.ts'
import type { Redaction } from '../secrets/redaction.ts'
import { type Added, readAdded } from './added-text.ts'
import { gate, type GateRules } from './gate.ts'
import type { Change, Finding } from './patch.ts'
import type { Quarantine } from './quarantine.ts'
import { findTokens } from './token-shapes.ts'
import { findMixed, findUnseen } from './unseen.ts'

/** What a change does, and why a person has to look before it is published. */
type Inspected = { changes: Change[]; findings: Finding[] }
export type Inspect = (quarantine: Quarantine, rules: GateRules, signal: AbortSignal) => Promise<Inspected>

/** More than a person reads, and than the gate lets through by its size; it bounds the time. */
const mostBytes = 128 * 1024 * 1024
/** Of each rule; enough to say why. An agent may do the same to more files than a page, or a person, bears. */
const findingsListed = 50

/**
 * The whole gate: names, sizes and modes, and what the change adds. Only additions count: what was there before is not the run's. What cannot
 * be read, or not in full, is a finding itself.
 */
export function createInspection(known: Pick<Redaction, 'find'>, readBytes = mostBytes): Inspect {
  return async (quarantine, rules, signal) => {
    const changes = await quarantine.changes()
    const found = new Map<string, Finding>()
    const add = (finding: Finding, kind: string) => {
      const key = JSON.stringify([finding.path, kind])
      if (!found.has(key)) found.set(key, finding)
    }
    for (const { path } of changes) inName(path, known).forEach(({ finding, kind }) => add(finding, kind))
    const binary = new Set(changes.filter((change) => change.binary).map(({ path }) => path))
    try {
      // A file that becomes a link, or a link a file, is told in two sections.
      const paths = changes.flatMap(({ path, status }) => (status === 'type_changed' ? [path, path] : [path]))
      const reader = readAdded(paths, (added) =>
        inText(added, known, binary.has(added.path)).forEach(({ finding, kind }) => add(finding, kind)),
      )
      const { cut } = await quarantine.readAdded((chunk) => reader.push(chunk), readBytes)
      reader.end()
      if (cut) add(unread(`only its first ${readBytes / 1024 / 1024} MiB were`), 'unread')
    } catch (error) {
      signal.throwIfAborted()
      add(unread(messageOf(error)), 'unread')
    }
    return { changes, findings: listed([...gate(changes, rules), ...found.values()]) }
  }
}

/** `kind`: of one kind a file has one finding, the first. */
type Told = { kind: string; finding: Finding }

/** What a name itself tells. */
function inName(path: string, known: Pick<Redaction, 'find'>): Told[] {
  const where = `the name ${JSON.stringify(path)}`
  const tell = (rule: string, message: string): Told => ({ kind: rule, finding: { rule, path, message } })
  return [
    ...secretsIn(Buffer.from(path), known).map(({ what }) => tell('secret', `${where} holds ${what}`)),
    ...(findMixed(path) ? [tell('mixed_script', `${where} mixes letters that look alike`)] : []),
  ]
}

function inText({ path, line, bytes }: Added, known: Pick<Redaction, 'find'>, isBinary: boolean): Told[] {
  const tell = (rule: string, what: string, before: Buffer): Told => {
    const message = `${JSON.stringify(path)} line ${line + linesIn(before)} adds ${what}`
    return { kind: rule === 'secret' ? what : rule, finding: { rule, path, message } }
  }
  const found = secretsIn(bytes, known).map(({ what, at }) => tell('secret', what, bytes.subarray(0, at)))
  if (!bytes.some((byte) => byte > 127) || (isBinary && !isText(bytes))) return found
  const text = bytes.toString('utf8')
  // A byte order mark is where it belongs.
  const unseen = findUnseen(line === 1 ? text.replace(/^\ufeff/, ' ') : text)
  const mixed = findMixed(text)
  const before = (at: number) => Buffer.from(text.slice(0, at))
  const alike = ({ what }: { what: string }) => `${JSON.stringify(what)}, which mixes letters that look alike`
  return [
    ...found,
    ...(unseen ? [tell('unseen', unseen.what, before(unseen.at))] : []),
    ...(mixed ? [tell('mixed_script', alike(mixed), before(mixed.at))] : []),
  ]
}

/** In what is no text such characters stand by chance. A text with NUL is one; a character may be cut at either end. */
function isText(bytes: Buffer): boolean {
  const start = [0, 1, 2].find((at) => (bytes[at]! & 0xc0) !== 0x80) ?? 3
  return [0, 1, 2, 3].some((cut) => isUtf8(bytes.subarray(start, bytes.length - cut)))
}

function secretsIn(bytes: Buffer, { find }: Pick<Redaction, 'find'>): { what: string; at: number }[] {
  const values = find(bytes).places.map(({ name, start }) => ({ what: `the value of the secret ${name}`, at: start }))
  const tokens = findTokens(bytes.toString('latin1')).map(({ what, at }) => ({ what: `what looks like ${what}`, at }))
  return [...values, ...tokens]
}

function unread(why: string): Finding {
  return { rule: 'unread', path: null, message: `what the change adds was not looked through in full: ${why}` }
}

function linesIn(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) count += 1
  return count
}

function listed(findings: Finding[]): Finding[] {
  const seen = new Map<string, number>()
  const kept = findings.filter(({ rule }) => {
    const before = seen.get(rule) ?? 0
    seen.set(rule, before + 1)
    return before < findingsListed
  })
  const more = findings.length - kept.length
  return more === 0 ? kept : [...kept, { rule: 'more', path: null, message: `and ${more} more findings` }]
}
