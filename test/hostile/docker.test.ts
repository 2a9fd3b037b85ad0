import { afterAll, beforeAll, describe } from 'vitest'
import { startDocker, type Docker } from '../support/docker.ts'
import { need } from '../support/need.ts'
import { buildSandboxImage } from '../support/sandbox-image.ts'
import { searchesAll } from './credentials.ts'
import { openHouse, type House } from './house.ts'

const started = await startDocker()
const missing = need('missing' in started ? started.missing : undefined)

describe.skipIf(missing.skip)(`in Docker${missing.note}`, { timeout: 120_000 }, () => {
  const docker = started as Docker
  const socket = () => (docker.env['DOCKER_HOST'] ?? '').replace('unix://', '')
  let house: House
  beforeAll(async () => {
    await buildSandboxImage(docker)
    house = await openHouse({ env: { DOCKER_HOST: docker.env['DOCKER_HOST'] ?? '' } })
  }, 300_000)
  afterAll(async () => {
    await house?.[Symbol.asyncDispose]()
    await docker[Symbol.asyncDispose]()
  }, 60_000)

  searchesAll(() => house, { sandbox: 'docker', doorsOf: () => [socket(), '/var/run/docker.sock'] })
})
