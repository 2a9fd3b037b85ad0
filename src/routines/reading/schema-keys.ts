import type { Path } from './yaml-tree.ts'

/** The part of JSON Schema that files of people use. */
export type JsonSchema = {
  title?: string
  type?: string
  description?: string
  default?: unknown
  enum?: (string | number | boolean)[]
  const?: string | number | boolean
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
  items?: JsonSchema
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  allOf?: JsonSchema[]
  $ref?: string
  definitions?: Record<string, JsonSchema>
}

/** The keys that may be written in the map at `path`, in the order of the documentation. */
export function keysAt(root: JsonSchema, path: Path): string[] {
  return unique(schemasAt(root, path).flatMap((schema) => Object.keys(schema.properties ?? {})))
}

/** The words that may be written at `path`; empty where any text may. */
export function wordsAt(root: JsonSchema, path: Path): string[] {
  return unique(
    schemasAt(root, path)
      .flatMap((schema) => schema.enum ?? (schema.const === undefined ? [] : [schema.const]))
      .map(String),
  )
}

/** What may be written at `path`, for a sentence: `text, a list, a map (cron, timezone)`. */
export function shapesAt(root: JsonSchema, path: Path): string {
  return unique(schemasAt(root, path).flatMap(shapeOf)).join(', ')
}

function shapeOf(schema: JsonSchema): string[] {
  if (schema.enum) return schema.enum.map(String)
  if (schema.const !== undefined) return [String(schema.const)]
  if (schema.type === 'array') return ['a list']
  if (schema.type === 'object') {
    const keys = Object.keys(schema.properties ?? {})
    return [keys.length > 0 ? `a map (${keys.join(', ')})` : 'a map']
  }
  return schema.type === undefined ? [] : [schema.type === 'string' ? 'text' : schema.type]
}

function schemasAt(root: JsonSchema, path: Path): JsonSchema[] {
  return path.reduce<JsonSchema[]>(
    (schemas, key) => schemas.flatMap((schema) => step(schema, key, root)),
    options(root, root),
  )
}

function step(schema: JsonSchema, key: PropertyKey, root: JsonSchema): JsonSchema[] {
  const inList = typeof key === 'number' ? schema.items : undefined
  const named = Object.hasOwn(schema.properties ?? {}, key) ? schema.properties?.[String(key)] : undefined
  const any = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
  const next = inList ?? named ?? any
  return next ? options(next, root) : []
}

/** The schema and every alternative in it. */
function options(schema: JsonSchema, root: JsonSchema): JsonSchema[] {
  const target = schema.$ref ? root.definitions?.[schema.$ref.replace('#/definitions/', '')] : undefined
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? []), ...(target ? [target] : [])]
  return [schema, ...inner.flatMap((option) => options(option, root))]
}

function unique(words: readonly string[]): string[] {
  return [...new Set(words)]
}
