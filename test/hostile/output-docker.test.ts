import { afterAll, describe } from 'vitest'
import { startDocker, type Docker } from '../support/docker.ts'
import { need } from '../support/need.ts'
import { buildSandboxImage } from '../support/sandbox-image.ts'
import { hostileOutput } from './output.ts'

const started = await startDocker()
const missing = need('missing' in started ? started.missing : undefined)

describe.skipIf(missing.skip)(`what a gullible agent hands out of a container${missing.note}`, () => {
  const docker = started as Docker
  afterAll(() => docker[Symbol.asyncDispose](), 60_000)
  hostileOutput('docker', async () => {
    await buildSandboxImage(docker)
    return { DOCKER_HOST: docker.env['DOCKER_HOST']! }
  })
})
