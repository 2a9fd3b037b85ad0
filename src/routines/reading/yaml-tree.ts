import {
  isAlias,
  isScalar,
  isSeq,
  parseDocument,
  type ParsedNode,
  type Range,
  type YAMLError,
  type YAMLMap,
} from 'yaml'
import { messageOf } from '../../errors.ts'
import { quoted } from '../format.ts'

/** Keys by which data could reach into the language. */
const dangerousKeys = new Set(['__proto__', 'constructor', 'prototype'])
const maxDepth = 32
/** Aliases repeat what they point at, so the size of the file does not bound the size of the value. */
const maxValues = 10_000

export type Path = readonly PropertyKey[]
/** `offset` counts from the start of the YAML text. */
export type YamlFault = { offset: number; message: string; hint?: string }
export type YamlTree = {
  value: unknown
  /** Where the value of a path stands; of the nearest parent when the path is not there. */
  valueAt(path: Path): number
  /** Where the key of a path stands; the value of the nearest parent when it is not there. */
  keyAt(path: Path): number
  /** How a scalar was written. */
  sourceAt(path: Path): string | undefined
}

type Place = { value: number; key: number; source: string | undefined }
type Node = ParsedNode | null
type Walk = {
  places: Map<string, Place>
  anchors: Map<string, Node>
  /** Of values that are still to be allowed. */
  budget: number
  faults: YamlFault[]
}
type Here = { path: Path; key: number; depth: number }

/**
 * Reads YAML 1.2 with the core schema into plain data, and remembers where everything stands. Refuses duplicate keys, tags,
 * keys that are not text, more than one document, and whatever grows over 32 levels or 10,000 values. Never throws.
 */
export function readYaml(text: string): YamlTree | { faults: YamlFault[] } {
  try {
    return readTree(text)
  } catch (error) {
    return { faults: [{ offset: 0, message: `the YAML cannot be read: ${messageOf(error)}` }] }
  }
}

function readTree(text: string): YamlTree | { faults: YamlFault[] } {
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: 'error',
  })
  const faults = faultsOf(document.errors, text)
  if (faults.length > 0) return { faults }
  const walk: Walk = { places: new Map(), anchors: new Map(), budget: maxValues, faults: [] }
  const value = valueOf(document.contents, { path: [], key: 0, depth: 0 }, walk)
  return walk.faults.length > 0 ? { faults: walk.faults } : { value, ...lookUp(walk.places) }
}

function valueOf(node: Node, here: Here, walk: Walk): unknown {
  const offset = node ? startOf(node.range) : here.key
  walk.places.set(placeKey(here.path), {
    value: offset,
    key: here.key,
    source: isScalar(node) ? node.source : undefined,
  })
  if (walk.faults.length > 0) return undefined
  const fault = refusal(node, here, walk)
  if (fault) {
    walk.faults.push({ offset, ...fault })
    return undefined
  }
  return node === null ? null : contentOf(node, here, walk)
}

function refusal(node: Node, { depth }: Here, walk: Walk): Omit<YamlFault, 'offset'> | undefined {
  walk.budget -= 1
  if (walk.budget < 0 || depth > maxDepth) {
    return {
      message: 'the YAML is too large once its aliases are filled in',
      hint: 'write it flatter, without aliases',
    }
  }
  return node?.tag === undefined
    ? undefined
    : { message: `the tag ${quoted(node.tag)} is not allowed`, hint: 'write the plain value' }
}

function contentOf(node: ParsedNode, here: Here, walk: Walk): unknown {
  if (isAlias(node)) return valueOfAlias(node, here, walk)
  if (node.anchor) walk.anchors.set(node.anchor, node)
  if (isScalar(node)) return node.value
  if (!isSeq(node)) return mapOf(node, here, walk)
  const depth = here.depth + 1
  return node.items.map((item, index) =>
    valueOf(item, { path: [...here.path, index], depth, key: startOf(item.range) }, walk),
  )
}

function mapOf(node: YAMLMap.Parsed, here: Here, walk: Walk): unknown {
  const entries: [string, unknown][] = []
  for (const pair of node.items) {
    const key = keyOf(pair.key, walk)
    if (key === undefined) return undefined
    const inside = { path: [...here.path, key], depth: here.depth + 1, key: startOf(pair.key.range) }
    entries.push([key, valueOf(pair.value, inside, walk)])
  }
  return Object.fromEntries(entries)
}

function valueOfAlias(node: ParsedNode & { source: string }, here: Here, walk: Walk): unknown {
  const target = walk.anchors.get(node.source)
  if (target !== undefined) return valueOf(target, { ...here, depth: here.depth + 1 }, walk)
  walk.faults.push({
    offset: startOf(node.range),
    message: `there is no anchor ${quoted(node.source)} before this`,
    hint: asText,
  })
  return undefined
}

function keyOf(node: ParsedNode, walk: Walk): string | undefined {
  const offset = startOf(node.range)
  const key = isScalar(node) && node.tag === undefined ? (node.source ?? '') : undefined
  if (key === undefined) walk.faults.push({ offset, message: 'a key must be plain text' })
  else if (dangerousKeys.has(key))
    walk.faults.push({ offset, message: `the key ${quoted(key)} is not allowed`, hint: 'remove it' })
  return key
}

/** One mistake makes everything after it in its line wrong, and nesting that is too deep makes everything wrong. */
function faultsOf(errors: readonly YAMLError[], text: string): YamlFault[] {
  const deep = errors.find((error) => error.code === 'RESOURCE_EXHAUSTION')
  const lines = new Set<number>()
  const firsts = errors.slice(0, 100).filter(({ pos }) => {
    const line = text.lastIndexOf('\n', pos[0] - 1)
    return !lines.has(line) && lines.add(line)
  })
  return (deep ? [deep] : firsts).map(({ pos, code, message }) => ({ offset: pos[0], ...explain(code, message) }))
}

const asText = 'a value that starts with * & ! % @ or ` is written in quotes'

function explain(code: string, message: string): { message: string; hint?: string } {
  switch (code) {
    case 'DUPLICATE_KEY':
      return { message: 'this key is written twice', hint: 'keep one of them' }
    case 'TAG_RESOLVE_FAILED':
      return { message: 'tags are not allowed', hint: asText }
    case 'BAD_ALIAS':
      return { message: 'this is read as an alias', hint: 'write cron in quotes: "* * * * *"' }
    case 'TAB_AS_INDENT':
      return { message: 'a tab is used to indent', hint: 'use spaces' }
    case 'MULTIPLE_DOCS':
      return { message: 'there is a second document', hint: 'remove the line ...' }
    case 'RESOURCE_EXHAUSTION':
      return { message: 'the YAML is nested too deeply', hint: 'write it flatter' }
    default:
      return { message: message.split('\n')[0] ?? message }
  }
}

function lookUp(places: ReadonlyMap<string, Place>): Pick<YamlTree, 'valueAt' | 'keyAt' | 'sourceAt'> {
  const nearest = (path: Path): Place =>
    places.get(placeKey(path)) ?? (path.length === 0 ? { value: 0, key: 0, source: undefined } : parent(path))
  const parent = (path: Path): Place => {
    const place = nearest(path.slice(0, -1))
    return { ...place, value: place.key, source: undefined }
  }
  return {
    valueAt: (path) => nearest(path).value,
    keyAt: (path) => nearest(path).key,
    sourceAt: (path) => places.get(placeKey(path))?.source,
  }
}

function placeKey(path: Path): string {
  return JSON.stringify(path.map(String))
}

function startOf(range: Range | null | undefined): number {
  return range?.[0] ?? 0
}
