import { afterAll, beforeAll, describe } from 'vitest'
import { startDocker, type Docker } from '../support/docker.ts'
import { need } from '../support/need.ts'
import { buildSandboxImage } from '../support/sandbox-image.ts'
import { bombsGoOffInside } from './bombs.ts'
import { searchesAll } from './credentials.ts'
import { openHouse, type House } from './house.ts'
import { asksModelAlone, openProvider, type Provider } from './model.ts'
import { names, openNames, type Names } from './names.ts'
import { nearby, reachesNothing } from './network.ts'

const started = await startDocker()
const missing = need('missing' in started ? started.missing : undefined)

describe.skipIf(missing.skip)(`in Docker${missing.note}`, { timeout: 120_000 }, () => {
  const docker = started as Docker
  const socket = () => (docker.env['DOCKER_HOST'] ?? '').replace('unix://', '')
  let house: House
  let sites: Names | undefined
  let provider: Provider
  beforeAll(async () => {
    await buildSandboxImage(docker)
    sites = names.skip ? undefined : await openNames(nearby)
    provider = await openProvider()
    const env = { DOCKER_HOST: docker.env['DOCKER_HOST'] ?? '', OVERNIGHT_ALLOW_HOSTS: nearby.join(), ...provider.env }
    house = await openHouse({ within: sites?.within, env })
  }, 300_000)
  afterAll(async () => {
    await house?.[Symbol.asyncDispose]()
    await sites?.[Symbol.asyncDispose]()
    await provider?.[Symbol.asyncDispose]()
    await docker[Symbol.asyncDispose]()
  }, 60_000)

  const doorsOf = () => [socket(), '/var/run/docker.sock']
  searchesAll(() => house, { sandbox: 'docker', doorsOf })
  reachesNothing(() => ({ house, sites: sites! }), { sandbox: 'docker', doorsOf })
  asksModelAlone(() => ({ house, provider }), 'docker')
  bombsGoOffInside(() => house, {
    sandbox: 'docker',
    leftOf: async (run) =>
      (await docker.docker('ps', '--all', '--quiet', '--filter', `label=overnight.run=${run}`))
        .split('\n')
        .filter(Boolean),
  })
})
