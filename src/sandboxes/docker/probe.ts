import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, StepFailed } from '../../errors.ts'
import {
  aboutText,
  callNotes,
  imageHint,
  notesOf,
  unusable,
  whyNotStarted,
  whyNotThere,
  type Abilities,
  type Calls,
  type Unusable,
} from './abilities.ts'
import { containerOf } from './container.ts'
import { dockerRefused, explainDocker, isLocal, soon, type Daemon } from './daemon.ts'
import { ensureGround } from './ground.ts'
import type { DockerOptions } from './docker.ts'
import { startContainer } from './start.ts'
import { firstProcess } from '../commands/first-process.ts'
import { lend } from './lend.ts'
import { text } from 'node:stream/consumers'

type Image = {
  /** Folders that it declares as volumes. */
  volumes: string[]
  /** PATH of commands that bring none. */
  path: string
}
type Seen = Calls & {
  /** Folders of the image that commands may not enter, so that nothing below them could be shown. */
  closed: string[]
  /** Programs that agents call and that it does not have. */
  lacks: string[]
}
/** `about`: the daemon and the image, for people. */
export type Found = (Image & Pick<Seen, 'closed'> & { notes: string[]; about: string }) | Unusable

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
    const { ApiVersion } = await soon<Abilities>(daemon.version(), options.firstAnswerMs ?? firstAnswerMs)
    const told = typeof ApiVersion === 'string' ? await soon<Abilities>(daemon.info()) : {}
    const abilities = { ...told, address, ApiVersion }
    const why = whyNotThere(abilities)
    if (why) return why
    const { Config, Created } = await soon(daemon.getImage(options.image).inspect())
    const volumes = Object.keys(Config.Volumes ?? {})
    const path = Config.Env?.find((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? usualPath
    const seen = await lookInside(daemon, options, { volumes, path })
    if ('missing' in seen) return seen
    const notes = [...notesOf(abilities), ...callNotes(seen, abilities)]
    const about = aboutText({ ...abilities, ...seen, image: options.image, made: Created })
    return { volumes, path, closed: seen.closed, notes, about }
  } catch (error) {
    return whyFailed(error, options)
  }
}

function whyFailed(error: unknown, options: DockerOptions): Unusable {
  const { message, hint = '', retryable } = error instanceof StepFailed ? error : explainDocker(error, options)
  return whyNotStarted(message, options.image) ?? { missing: message, hint, retryable }
}

/** What containers that are tried carry in the place of a run. */
export const probeRun = 'probe'

/** Programs that collecting and the way out to the model need; folders like root's; what Docker's own filter, which is older in some, says to AF_VSOCK and io_uring_setup (EPERM; or the kernel has none, ENOSYS); a file that must be seen on both sides. */
const script = `for program in git node; do command -v $program >/dev/null || echo "no $program"; done
for program in curl jq make patch rg python3 xz; do command -v $program >/dev/null || echo "lacks $program"; done
for folder in /* /home/*; do [ ! -d "$folder" ] || [ -x "$folder" ] || echo "closed $folder"; done
perl -e 'print socket(my $host, 40, 1, 0) ? "vsock open" : "vsock closed", "\\n"; syscall(425, 0, 0); print $! == 1 || $! == 38 ? "uring closed" : "uring open", "\\n"' 2>/dev/null
echo seen >seen`

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
      run: probeRun,
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
    const after = (word: string) => lines.flatMap((line) => (line.startsWith(word) ? [line.slice(word.length)] : []))
    const needed = after('no ')
    const seen = await readFile(join(cwd, 'seen'), 'utf8').catch(messageOf)
    if (needed.length > 0) return unusable(`the image ${options.image} has no ${needed.join(', no ')}`, imageHint)
    if (seen !== 'seen\n')
      return unusable(
        `what a container writes in ${options.folder} is not seen here: ${complaint.trim() || seen}`,
        pathHint,
      )
    const answered = (call: string) =>
      (['open', 'closed'] as const).find((answer) => lines.includes(`${call} ${answer}`))
    return {
      closed: after('closed '),
      lacks: after('lacks '),
      hostSocket: answered('vsock'),
      uring: answered('uring'),
    }
  } finally {
    await rm(cwd, { recursive: true, force: true })
  }
}

const pathHint =
  'the daemon must be of this machine and run as root (not rootless), and a service in a container needs its data folder under the same path as on the machine'
