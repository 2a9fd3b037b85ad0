import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, StepFailed } from '../errors.ts'
import { containerOf } from './docker-container.ts'
import { dockerRefused, explainDocker, isLocal, soon, type Daemon } from './docker-daemon.ts'
import { ensureGround } from './docker-ground.ts'
import type { DockerOptions } from './docker.ts'
import { startContainer } from './docker-start.ts'
import { firstProcess } from './first-process.ts'
import { lend } from './lend.ts'
import { text } from 'node:stream/consumers'
import { hostSocketNote } from './socket-filter.ts'

type Image = {
  /** Folders that it declares as volumes. */
  volumes: string[]
  /** PATH of commands that bring none. */
  path: string
}
/** `closed`: folders of the image that commands may not enter, so that nothing below them could be shown. `filtered`: no socket leads to the host of a virtual machine. */
type Seen = { closed: string[]; filtered: boolean }
export type Found = (Image & Pick<Seen, 'closed'> & { notes: string[] }) | Unusable
type Unusable = { missing: string; hint: string; retryable: boolean }

const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
/** Of a socket that may be anybody's, before anything is asked of it. */
const firstAnswerMs = 5000

/** Really starts a container: it must write where this process can read it, and have what a run needs. */
export async function findImage(daemon: Daemon, options: DockerOptions): Promise<Found> {
  const { address } = options
  if (!isLocal(address))
    return unusable(
      `the Docker daemon ${address} is not of this machine`,
      'set DOCKER_HOST to a socket: unix:///var/run/docker.sock',
    )
  try {
    const { ApiVersion } = await soon<{ ApiVersion?: unknown }>(daemon.version(), firstAnswerMs)
    if (typeof ApiVersion !== 'string') return notDocker(options)
    const { Config } = await soon(daemon.getImage(options.image).inspect())
    const volumes = Object.keys(Config.Volumes ?? {})
    const path = Config.Env?.find((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? usualPath
    const seen = await lookInside(daemon, options, { volumes, path })
    if ('missing' in seen) return seen
    const notes = [...notesOf(await soon<Abilities>(daemon.info())), ...(seen.filtered ? [] : [hostSocketNote])]
    return { volumes, path, closed: seen.closed, notes }
  } catch (error) {
    if (error instanceof StepFailed)
      return { missing: error.message, hint: error.hint ?? '', retryable: error.retryable }
    const { message, ...advice } = explainDocker(error, options)
    return { missing: message, ...advice }
  }
}

const notDocker = ({ address }: DockerOptions): Unusable => ({
  missing: `what listens at ${address} is no Docker daemon`,
  hint: 'set DOCKER_HOST to the socket of one: unix:///path/of/docker.sock',
  retryable: false,
})

/** Programs that collecting and the way out to the model need; folders like root's; what Docker's own filter, which is older in some, says to AF_VSOCK; a file that must be seen on both sides. */
const script = `for program in git node; do command -v $program >/dev/null || echo "no $program"; done
for folder in /* /home/*; do [ ! -d "$folder" ] || [ -x "$folder" ] || echo "closed $folder"; done
perl -e 'exit(socket(my $host, 40, 1, 0) ? 1 : 0)' 2>/dev/null && echo filtered
echo seen >seen`
const [closed, filtered] = ['closed ', 'filtered']

async function lookInside(daemon: Daemon, options: DockerOptions, { volumes, path }: Image): Promise<Seen | Unusable> {
  const ground = await ensureGround(options.folder)
  const cwd = join(options.folder, `probe-${randomUUID()}`)
  await mkdir(cwd)
  try {
    const mounts = [{ path: cwd, write: true }]
    await lend(ground.user, mounts, () => false)
    const argv = ['/bin/sh', '-c', script]
    const env = { PATH: path }
    const first = firstProcess({ argv, env, over: { streams: true, cwd } })
    const plan = {
      run: 'probe',
      name: `overnight-${randomUUID()}`,
      image: options.image,
      volumes,
      ground,
      mounts,
      hidden: [],
    }
    const container = await soon(
      daemon.createContainer(containerOf({ ...plan, limits: options.limits, argv: first.argv })),
    )
    const explain = (error: unknown) => dockerRefused(error, options)
    const command = await startContainer({ container, told: first.told, argv, env, cwd, signal: undefined, explain })
    const [said, complaint] = await Promise.all([text(command.stdout), text(command.stderr)])
    const lines = said.split('\n')
    const lacks = lines.filter((line) => line.startsWith('no '))
    const seen = await readFile(join(cwd, 'seen'), 'utf8').catch(messageOf)
    if (lacks.length > 0) return unusable(`the image ${options.image} has ${lacks.join(', ')}`, imageHint)
    if (seen !== 'seen\n')
      return unusable(
        `what a container writes in ${options.folder} is not seen here: ${complaint.trim() || seen}`,
        pathHint,
      )
    return {
      closed: lines.flatMap((line) => (line.startsWith(closed) ? [line.slice(closed.length)] : [])),
      filtered: lines.includes(filtered),
    }
  } finally {
    await rm(cwd, { recursive: true, force: true })
  }
}

const imageHint = 'build it from infra/sandbox/Dockerfile, or install them in it'
const pathHint =
  'the daemon must be of this machine and run as root (not rootless), and a service in a container needs its data folder under the same path as on the machine'
const unusable = (missing: string, hint: string): Unusable => ({ missing, hint, retryable: false })

type Abilities = {
  MemoryLimit?: boolean
  SwapLimit?: boolean
  PidsLimit?: boolean
  CPUCfsQuota?: boolean
  SecurityOptions?: string[]
}

/** What this daemon or its kernel leaves out without a word. */
function notesOf({ MemoryLimit, SwapLimit, PidsLimit, CPUCfsQuota, SecurityOptions }: Abilities): string[] {
  return [
    ...(MemoryLimit === false ? ['memory is not limited'] : []),
    ...(SwapLimit === false ? ['swap is not limited'] : []),
    ...(PidsLimit === false ? ['the number of processes is not limited'] : []),
    ...(CPUCfsQuota === false ? ['processor time is not limited'] : []),
    ...(SecurityOptions?.some((option) => option.startsWith('name=seccomp'))
      ? []
      : ['Docker filters no system calls (seccomp) here']),
  ]
}
