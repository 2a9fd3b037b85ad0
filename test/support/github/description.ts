import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'

type Schema = { type?: string | string[]; properties?: object }
type Parameter = { name: string; in: 'path' | 'query' | 'header'; required?: boolean; schema: Schema }
type Operation = {
  parameters: Parameter[]
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> }
}
export type Asked = { method: string; path: string; query: URLSearchParams; body: unknown }

/**
 * Checks requests against GitHub's own description of what may be asked, more strictly than GitHub: a name that it does not
 * know is a mistake of ours, too. Answers what is wrong, or undefined.
 */
export function openDescription(): (asked: Asked) => string | undefined {
  const text = readFileSync(join(import.meta.dirname, 'description.json'), 'utf8')
  const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, Operation>> }
  const ajv = new Ajv({ strict: false, coerceTypes: false, allErrors: true })
  formats.default(ajv)
  ajv.addFormat('repo.nwo', true)
  const compiled = new Map<Schema, ValidateFunction>()
  const check = (schema: Schema, value: unknown, where: string): string | undefined => {
    if (!compiled.has(schema)) compiled.set(schema, ajv.compile(schema))
    const validate = compiled.get(schema)!
    return validate(value) ? undefined : ajv.errorsText(validate.errors, { dataVar: where })
  }
  const routes = Object.entries(paths).map(([path, operations]) => ({ pattern: patternOf(path), operations }))

  return ({ method, path, query, body }) => {
    const route = routes.find(({ pattern }) => pattern.test(path))
    const operation = route?.operations[method.toLowerCase()]
    if (!route || !operation) return `the description has no ${method} ${path}`
    const known = new Map(operation.parameters.map((parameter) => [`${parameter.in} ${parameter.name}`, parameter]))
    const given = [
      ...Object.entries(route.pattern.exec(path)?.groups ?? {}).map(([name, value]) => ['path', name, value] as const),
      ...[...query].map(([name, value]) => ['query', name, value] as const),
    ]
    const wrong = given.flatMap(([place, name, value]) => {
      const parameter = known.get(`${place} ${name}`)
      if (!parameter) return [`${place} ${name} is not known`]
      return check(parameter.schema, spelled(value, parameter.schema), `${place} ${name}`) ?? []
    })
    const missing = [...known.values()]
      .filter((parameter) => parameter.in === 'query' && parameter.required && !query.has(parameter.name))
      .map(({ name }) => `query ${name} is missing`)
    const all = [...wrong, ...missing, ...bodyProblems(operation, body, check)]
    return all.length === 0 ? undefined : `${method} ${path}: ${all.join('; ')}`
  }
}

function bodyProblems(
  { requestBody }: Operation,
  body: unknown,
  check: (schema: Schema, value: unknown, where: string) => string | undefined,
): string[] {
  const schema = requestBody?.content['application/json']?.schema
  if (body === undefined) return requestBody?.required ? ['the body is missing'] : []
  if (schema === undefined) return ['a body is not known here']
  const unknown = typeof body === 'object' && body !== null && schema.properties !== undefined
  const names = unknown ? Object.keys(body).filter((name) => !Object.hasOwn(schema.properties!, name)) : []
  return [
    ...(check(schema, body, 'body') ?? '').split(', ').filter(Boolean),
    ...names.map((name) => `body/${name} is not known`),
  ]
}

/** A ref may hold slashes, written as they are or encoded. */
function patternOf(path: string): RegExp {
  const source = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => `(?<${name}>${name === 'ref' ? '.+' : '[^/]+'})`)
  return new RegExp(`^${source}$`)
}

function spelled(value: string, { type }: Schema): unknown {
  if (type === 'integer') return /^-?\d+$/.test(value) ? Number(value) : value
  if (type === 'boolean') return value === 'true' || value === 'false' ? value === 'true' : value
  return decodeURIComponent(value)
}
