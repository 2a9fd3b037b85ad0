import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { createDockerDriver, type DockerOptions } from '../../src/sandboxes/docker/docker.ts'
import type { SandboxDriver } from '../../src/sandboxes/sandbox.ts'
import { cache, type Docker } from './docker.ts'

const sandboxImage = 'overnight-sandbox'
const root = resolve(import.meta.dirname, '../..')
const [socketKey, folderKey] = ['OVERNIGHT_TEST_DOCKER', 'OVERNIGHT_TEST_DOCKER_FOLDER']

/** Builds the image of infra/sandbox, without a registry. */
export async function buildSandboxImage({ env }: Docker): Promise<void> {
  await promisify(execFile)(join(root, 'infra/ci/sandbox'), [cache], { env, maxBuffer: 1 << 26 })
}

/** Small enough that a bomb goes off early. */
export const smallLimits = { memoryBytes: 512 * 1024 ** 2, cpus: 2, processes: 200, diskBytes: 256 * 1024 ** 2 }

/** For programs that a test starts: the driver they are told about by their environment. */
export function dockerDriver(options: Partial<DockerOptions> = {}): SandboxDriver {
  const [address, folder] = [process.env[socketKey], process.env[folderKey]]
  if (address === undefined || folder === undefined) throw new Error(`${socketKey} and ${folderKey} are not set`)
  return createDockerDriver({ address, folder, data: folder, image: sandboxImage, limits: smallLimits, ...options })
}

/** Tells this process and all it starts which daemon is meant. */
export function tellDocker({ env }: Docker, folder: string): void {
  process.env[socketKey] = env['DOCKER_HOST']!
  process.env[folderKey] = folder
}
