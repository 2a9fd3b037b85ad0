import { quoted } from '../format.ts'
import { advice } from '../nearest.ts'
import { findMarks, replaceMarks } from './template-marks.ts'

/** What a prompt may name. `event`, `events` and `previous` have whatever the occasions brought. */
const roots: ReadonlyMap<string, readonly string[] | 'any'> = new Map<string, readonly string[] | 'any'>([
  ['inputs', []],
  ['event', 'any'],
  ['events', 'any'],
  ['slot', ['at', 'local', 'date', 'time', 'weekday', 'zone', 'late']],
  ['routine', ['name', 'last_success', 'last_pull_request']],
  ['previous', 'any'],
])
const neverFollowed = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * Fills `{{ inputs.scope }}`, `{{ slot.at }}`, `{{ routine.name }}`, `{{ event.… }}`, `{{ previous.… }}` once; runs nothing, and
 * what a value contains is never filled again. A path that leads nowhere becomes empty; lists and maps become JSON. `put`
 * decides how a text, a list or a map is put in.
 */
export function fillPrompt(
  template: string,
  values: Readonly<Record<string, unknown>>,
  put: (path: readonly string[], value: string | object) => string = (_, value) => asText(value),
): string {
  return replaceMarks(template, (path) => {
    const value = follow(values, path)
    const isPlain = value === null || value === '' || (typeof value !== 'string' && typeof value !== 'object')
    return isPlain ? asText(value) : put(path, value)
  })
}

/** Whether the prompt asks for something below this root. */
export function namesRoot(template: string, root: string): boolean {
  return findMarks(template).some(({ path }) => path?.[0] === root)
}

export type PromptFault = { index: number; message: string; hint: string }

/** The first marks that could never be filled, at most 20; `inputs` are the names the routine declares. */
export function checkPrompt(template: string, inputs: readonly string[]): PromptFault[] {
  return checkTemplate(template, { inputs, roots: [...roots.keys()] })
}

/** The same of a template that may name these roots alone. */
export function checkTemplate(template: string, known: Known): PromptFault[] {
  return findMarks(template)
    .flatMap(({ index, written, path }) => {
      const fault = path ? checkPath(path, known) : notAPath(written)
      return fault ? [{ index, ...fault }] : []
    })
    .take(20)
    .toArray()
}
type Known = { inputs: readonly string[]; roots: readonly string[] }

function notAPath(written: string): Omit<PromptFault, 'index'> {
  return {
    message: `${quoted(written)} is not a path such as inputs.name`,
    hint: 'write \\{{ for braces that are meant as text',
  }
}

function checkPath(path: readonly string[], { inputs, roots: allowed }: Known): Omit<PromptFault, 'index'> | undefined {
  const [root = '', ...names] = path
  const written = quoted(`{{ ${path.join('.')} }}`)
  const forbidden = path.find((part) => neverFollowed.has(part))
  if (forbidden !== undefined)
    return { message: `${written}: ${quoted(forbidden)} is never followed`, hint: 'remove it' }
  const known = root === 'inputs' ? inputs : roots.get(root)
  if (known === undefined || !allowed.includes(root)) {
    return { message: `${written}: nothing is called ${quoted(root)}`, hint: advice(root, allowed) }
  }
  if (known === 'any' || (names.length === 1 && known.includes(names.join('.')))) return undefined
  if (root === 'inputs' && known.length === 0) {
    return { message: `${written}: the routine declares no inputs`, hint: 'declare it under inputs:' }
  }
  return { message: `${written}: ${root} has no such value`, hint: advice(names.join('.'), known) }
}

function follow(values: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => {
    const isThere = typeof value === 'object' && value !== null && !neverFollowed.has(key) && Object.hasOwn(value, key)
    return isThere ? (value as Record<string, unknown>)[key] : undefined
  }, values)
}

export function asText(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'object') return value === null ? '' : JSON.stringify(value)
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : ''
}
