import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const src = resolve(import.meta.dirname, '../src')
/** Free for everybody: raised errors, and the types of configuration and log. */
const common = ['errors.ts', 'config.ts', 'log.ts']
const everything = ['*']

/** A word for people, without the drivers beside it. */
const boundary = 'sandboxes/sandbox-said.ts'

/** Which rooms a room may import values from. Types may come from any room that the shape of the data needs. */
const mayImport: Record<string, readonly string[]> = {
  'main.ts': ['cli'],
  'service.ts': everything,
  service: everything,
  'ticker.ts': [],
  'config.ts': ['data-folder.ts', 'environment.ts', 'repository-folder.ts'],
  'data-folder.ts': [],
  'repository-folder.ts': [],
  'host-name.ts': [],
  'joining-scripts.ts': [],
  'run-folder.ts': [],
  'environment.ts': [],
  'errors.ts': [],
  'log.ts': [],
  cli: [
    'cli',
    'service.ts',
    'service',
    'config.ts',
    'log.ts',
    'secrets',
    'http',
    'routines',
    'runs',
    'triggers',
    boundary,
  ],
  http: ['http', 'ui', 'triggers', 'routines', 'runs', 'ledger'],
  ui: ['ui', 'runs', boundary],
  triggers: ['triggers', 'routines', 'runs', 'ledger'],
  queue: ['queue', 'runs', 'ledger'],
  runs: ['runs', 'routines', 'ledger'],
  ledger: ['ledger'],
  publish: ['publish', 'forges', 'checkout'],
  forges: ['forges', 'checkout'],
  checkout: ['checkout', 'sandboxes', 'joining-scripts.ts'],
  engines: ['engines', 'sandboxes'],
  relay: ['relay', 'outgoing', 'ledger', 'host-name.ts', 'run-folder.ts'],
  outgoing: ['outgoing', 'ledger'],
  sandboxes: ['sandboxes', 'run-folder.ts'],
  secrets: ['secrets'],
  routines: ['routines', 'host-name.ts', 'joining-scripts.ts'],
}

/** One owner per outside package. */
const owners: Record<string, readonly string[]> = {
  bullmq: ['queue'],
  '@electric-sql/pglite': ['ledger'],
  'drizzle-orm': ['ledger'],
  pg: ['ledger'],
  ioredis: ['queue'],
  dockerode: ['sandboxes'],
  '@octokit/rest': ['forges'],
  '@octokit/auth-app': ['forges'],
  '@octokit/plugin-retry': ['forges'],
  '@octokit/plugin-throttling': ['forges'],
  '@octokit/webhooks': ['triggers'],
  '@octokit/webhooks-methods': ['triggers'],
  re2js: ['triggers', 'routines'],
  standardwebhooks: ['triggers', 'outgoing'],
  'request-filtering-agent': ['outgoing'],
  'node:sqlite': ['ledger'],
  yaml: ['routines'],
  'node-cron': ['ticker.ts'],
  croner: ['triggers'],
  hono: ['http', 'ui'],
  '@hono/node-server': ['http'],
  'hono-openapi': ['http'],
  commander: ['cli'],
  pino: ['log.ts'],
  zod: ['config.ts', 'environment.ts', 'routines', 'http', 'checkout', 'engines', 'forges'],
}

type Import = { file: string; room: string; target: string; typeOnly: boolean }

const imports: Import[] = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .flatMap((file) => importsOf(file))

function importsOf(file: string): Import[] {
  const text = readFileSync(join(src, file), 'utf8')
  const found = text.matchAll(/^(?:import|export)\s+(type\s)?(?:([^'"]*?)\sfrom\s+)?['"]([^'"]+)['"]/gms)
  return [...found].map((match) => ({
    file,
    room: file.split('/')[0]!,
    target: match[3]!,
    typeOnly: match[1] !== undefined || onlyTypes(match[2] ?? ''),
  }))
}

/** `{ type A, type B }` imports nothing at run time. */
function onlyTypes(clause: string): boolean {
  const names = /^\{(.*)\}$/s
    .exec(clause.trim())?.[1]
    ?.split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  return names !== undefined && names.length > 0 && names.every((name) => name.startsWith('type '))
}

const pathOf = ({ file, target }: Import) => relative(src, resolve(src, dirname(file), target))
const roomOf = (found: Import) => pathOf(found).split('/')[0]!

test('the scan sees the house', () => {
  expect(imports.length).toBeGreaterThan(100)
  expect(new Set(imports.map((found) => found.room)).size).toBeGreaterThan(12)
})

test('imports go one way', () => {
  const wrong = imports
    .filter((found) => found.target.startsWith('.') && !found.typeOnly)
    .filter((found) => {
      const targets = ['*', roomOf(found), pathOf(found)]
      const allowed = [...(mayImport[found.room] ?? []), 'errors.ts']
      return !targets.some((target) => allowed.includes(target))
    })
    .map((found) => `${found.file} imports ${found.target}`)
  expect(wrong).toEqual([])
})

test('only the composition root and the CLI read configuration and make logs', () => {
  const wrong = imports
    .filter((found) => !found.typeOnly && found.target.startsWith('.') && common.slice(1).includes(roomOf(found)))
    .filter((found) => !['service.ts', 'service', 'cli'].includes(found.room))
    .map((found) => `${found.file} imports ${found.target}`)
  expect(wrong).toEqual([])
})

test('an outside package has one owner', () => {
  const wrong = imports
    .filter((found) => !found.target.startsWith('.'))
    .filter(({ target, room }) => {
      const name = Object.keys(owners).find((owned) => target === owned || target.startsWith(`${owned}/`))
      return name !== undefined && !owners[name]!.includes(room)
    })
    .map((found) => `${found.file} imports ${found.target}`)
  expect(wrong).toEqual([])
})

test('every outside package that is imported has an owner named here', () => {
  const outside = imports
    .filter((found) => !found.target.startsWith('.') && !found.target.startsWith('node:'))
    .map((found) =>
      found.target
        .split('/')
        .slice(0, found.target.startsWith('@') ? 2 : 1)
        .join('/'),
    )
  expect([...new Set(outside)].filter((name) => owners[name] === undefined)).toEqual([])
})
