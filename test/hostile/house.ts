import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCrew, type Agent, type Crew } from '../support/crew.ts'
import { commitFiles, createRepository, git, writeFiles } from '../support/git-repository.ts'
import { openMcpServer, type McpServer } from '../support/mcp-server.ts'
import { openPlace, type Place } from '../support/place.ts'
import type { StartOptions } from '../support/service-process.ts'
import { createCanaries, type Canaries } from './canaries.ts'
import { openDoors, type Doors } from './doors.ts'

type HouseOptions = { env?: Record<string, string>; within?: StartOptions['within'] | undefined }

/** A service with all that its operator has around it, and a secret in every corner of that. */
export type House = AsyncDisposable & {
  crew: Crew
  canaries: Canaries
  doors: Doors
  /** Two of them; what everybody may read there is in `bait`. */
  repositories: [string, string]
  bait: string
  /** Files where everybody puts them. */
  strays: string[]
  /** An MCP server that tells the caller with which credential it was called; connector `desk`, of which `search` is allowed. */
  desk: McpServer
  /** Before anything was planted, in ms. */
  since: number
  /** A program of `agent/`, told this. */
  tells(program: string, argv: readonly string[], agent?: Agent): Agent
  start(name: string, agent: Agent): Promise<string>
}

export async function openHouse({ env = {}, within }: HouseOptions = {}): Promise<House> {
  const since = Date.now() - 1000
  await using building = new AsyncDisposableStack()
  const place = building.adopt(await openPlace(), (place) => place[Symbol.dispose]())
  const canaries = createCanaries()
  const { plant } = canaries
  const doors = building.use(await openDoors(place.folder, canaries))
  const strays = [tmpdir(), '/var/tmp', '/dev/shm'].map((folder) => join(folder, `stray-${canaries.word.slice(-6)}`))
  building.defer(() => strays.forEach((path) => rmSync(path, { force: true })))
  for (const path of strays) writeFileSync(path, plant(path))
  const desk = building.use(await openMcpServer({ tools: ['search', 'delete'] }))
  const bait = plant('what is committed')
  const repositories: House['repositories'] = [
    repositoryOf(place, 'shop', { plant, bait }),
    repositoryOf(place, 'bank', { plant, bait }),
  ]
  plantInData(place, plant)
  cpSync(join(import.meta.dirname, 'agent'), place.routines, { recursive: true })
  const hosts = [env['OVERNIGHT_ALLOW_HOSTS'], desk.host].filter((one) => one !== undefined).join()
  const around = { ...connectorOf(place, desk, plant), ...environmentOf(place, plant), HOME: homeOf(place, plant) }
  const crew = await openCrew(
    { OVERNIGHT_CONCURRENCY: '4', ...around, ...env, OVERNIGHT_ALLOW_HOSTS: hosts },
    { place, ...(within ? { within } : {}) },
  )
  building.defer(() => crew.service[Symbol.asyncDispose]())
  await place.overnight(['secret', 'set', 'STORED'], { input: plant('a stored secret') })
  await crew.service.fetch('/hooks/planted', { method: 'POST', body: '{}', headers: { authorization: 'Bearer wrong' } })
  const stack = building.move()
  return {
    crew,
    canaries,
    doors,
    repositories,
    bait,
    strays,
    desk,
    since,
    tells: (program, argv, agent = {}) => ({
      repository: repositories[0],
      ...agent,
      command: ['node', `./${program}`, ...argv],
    }),
    // In the folder of the routines, which every command is shown; in none where more would lie beside it.
    start: (name, agent) => crew.start(join('routines', name), agent),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

type Plant = Canaries['plant']

function environmentOf(place: Place, plant: Plant): Record<string, string> {
  const vault = join(place.folder, 'vault')
  writeFileSync(vault, `#!/bin/sh\necho ${plant("what the operator's vault says")}\n`)
  chmodSync(vault, 0o700)
  mkdirSync(join(place.folder, 'webhooks'))
  const source = 'verify: alertmanager\nsecret: secret:VAULTED\n'
  writeFileSync(join(place.folder, 'webhooks', 'planted.yaml'), source)
  const variables = [
    'ANTHROPIC_API_KEY',
    'OVERNIGHT_GITHUB_TOKEN',
    'OVERNIGHT_GITHUB_WEBHOOK_SECRET',
    'OVERNIGHT_SECRETS_KEY',
    'OVERNIGHT_SECRET_DEPLOY',
    'AWS_SECRET_ACCESS_KEY',
  ]
  return {
    ...Object.fromEntries(variables.map((name) => [name, plant(`the variable ${name}`)])),
    OVERNIGHT_WEBHOOK_SECRET: `whsec_${plant('the variable OVERNIGHT_WEBHOOK_SECRET')}`,
    OVERNIGHT_SECRET_COMMAND: JSON.stringify([vault]),
  }
}

function connectorOf(place: Place, { url, host }: McpServer, plant: Plant): Record<string, string> {
  mkdirSync(join(place.folder, 'connectors'))
  const text = `url: ${url}\nheaders: { Authorization: "Bearer secret:DESK" }\ntools: [search]\n`
  writeFileSync(join(place.folder, 'connectors', 'desk.yaml'), text)
  return {
    OVERNIGHT_SECRET_DESK: plant('the variable OVERNIGHT_SECRET_DESK, of a connector'),
    OVERNIGHT_SECRET_DESK_HOSTS: host,
  }
}

/** What programs of an operator keep in a home folder. */
function homeOf(place: Place, plant: Plant): string {
  const home = join(place.folder, 'home of the operator')
  const files = [
    '.netrc',
    '.ssh/id_ed25519',
    '.git-credentials',
    '.config/gh/hosts.yml',
    '.npmrc',
    '.docker/config.json',
    '.aws/credentials',
    '.bash_history',
  ]
  writeFiles(home, Object.fromEntries(files.map((name) => [name, `${plant(`~/${name}`)}\n`])))
  return home
}

function plantInData({ data }: Place, plant: Plant): void {
  writeFileSync(join(data, 'token'), plant('the token of the data folder'), { mode: 0o600 })
  mkdirSync(join(data, 'secrets'))
  writeFileSync(join(data, 'secrets', 'FILED'), plant('a file of the data folder'), { mode: 0o600 })
}

/** One commit that everybody may read; a secret in everything beside it. */
function repositoryOf(place: Place, name: string, { plant, bait }: { plant: Plant; bait: string }): string {
  const path = createRepository(join(place.folder, name), { 'README.md': `# ${name}\n`, 'bait.txt': `${bait}\n` })
  const head = git(path, 'rev-parse', 'HEAD')
  const hidden = commitFiles(path, { 'hidden.txt': plant(`${name}: a commit on no branch`) })
  git(path, 'update-ref', 'refs/private/hidden', hidden)
  git(path, 'reset', '--quiet', '--hard', head)
  git(path, 'tag', '--annotate', 'secret', '-m', plant(`${name}: a tag`), hidden)
  git(path, 'config', 'remote.origin.url', `https://ada:${plant(`${name}: the address of its remote`)}@forge.example/x`)
  git(path, 'config', 'http.extraHeader', `Authorization: ${plant(`${name}: its configuration`)}`)
  writeFiles(path, {
    '.env': plant(`${name}: a file that is not committed`),
    '.git/hooks/pre-push': plant(`${name}: a hook`),
  })
  return path
}
