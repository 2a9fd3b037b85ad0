import { hostSocketNote, uringNote } from '../call-notes.ts'
import { unlimited } from '../limits.ts'

/** Why a daemon, or an image on it, is no use, and whether that passes by itself. */
export type Unusable = { missing: string; hint: string; retryable: boolean }
/** What a daemon says of itself, at `/version` and `/info`. Whatever listens there may have said anything. */
export type Abilities = {
  ApiVersion?: unknown
  ServerVersion?: string
  MemoryLimit?: boolean
  SwapLimit?: boolean
  PidsLimit?: boolean
  CPUCfsQuota?: boolean
  SecurityOptions?: readonly string[]
}

/** Of Docker 20.10. An older one may take what it does not know and leave it out without a word. */
const oldest = [1, 41] as const

export const unusable = (missing: string, hint: string): Unusable => ({ missing, hint, retryable: false })

/** Why nothing is started there; undefined = nothing speaks against it. */
export function whyNotThere({
  address,
  ApiVersion,
  SecurityOptions = [],
}: Abilities & { address: string }): Unusable | undefined {
  if (typeof ApiVersion !== 'string')
    return unusable(
      `what listens at ${address} is no Docker daemon`,
      'set DOCKER_HOST to the socket of one: unix:///path/of/docker.sock',
    )
  const [major = 0, minor = 0] = ApiVersion.split('.').map(Number)
  if (!(major > oldest[0] || (major === oldest[0] && minor >= oldest[1])))
    return unusable(
      `the Docker daemon at ${address} speaks API ${ApiVersion.slice(0, 20)}, which is older than ${oldest.join('.')}`,
      'install Docker 20.10 or newer',
    )
  if (SecurityOptions.some((option) => option.startsWith('name=rootless')))
    return unusable(
      `the Docker daemon at ${address} is rootless: what a run writes would not be the service's to read`,
      'set DOCKER_HOST to a daemon that runs as root (unix:///var/run/docker.sock), or install bubblewrap, which needs none',
    )
  return undefined
}

/** What this daemon or its kernel leaves out without a word. */
export function notesOf({ MemoryLimit, SwapLimit, PidsLimit, CPUCfsQuota, SecurityOptions }: Abilities): string[] {
  return [
    ...(MemoryLimit === false ? [unlimited.memory] : []),
    ...(SwapLimit === false ? ['swap is not limited'] : []),
    ...(PidsLimit === false ? [unlimited.processes] : []),
    ...(CPUCfsQuota === false ? [unlimited.cpus] : []),
    ...(SecurityOptions?.some((option) => option.startsWith('name=seccomp') && !option.includes('profile=unconfined'))
      ? []
      : ['Docker filters no system calls (seccomp) here']),
  ]
}

/** What a command was told of these calls; undefined where it had no words for them. */
export type Calls = { hostSocket: 'open' | 'closed' | undefined; uring: 'open' | 'closed' | undefined }

/** From here on Docker's own filter leaves out io_uring. https://github.com/moby/moby/pull/46762 */
const closesUring = 25

/** What its filter of system calls lets through. Where nobody could try, the version says it for io_uring, and nothing does for vsock. */
export function callNotes({ hostSocket, uring }: Calls, { ServerVersion = '' }: Abilities): string[] {
  const isClosed = uring === undefined ? Number.parseInt(ServerVersion) >= closesUring : uring === 'closed'
  return [...(hostSocket === 'closed' ? [] : [hostSocketNote]), ...(isClosed ? [] : [uringNote])]
}

type Image = { image: string; /** ISO 8601. */ made: string; lacks: readonly string[] }

/** One line for whoever asks what runs would be started with. */
export function aboutText({ ServerVersion = 'of an unknown version', image, made, lacks }: Abilities & Image): string {
  const without = lacks.length === 0 ? '' : `, without ${lacks.join(', ')}`
  return `Docker ${ServerVersion}, image ${image} of ${made.slice(0, 10)}${without}`
}

export const imageHint = 'build it from infra/sandbox/Dockerfile, or install them in it'

/** What it means that the first process of a container said this; undefined = nothing is known of it. */
export function whyNotStarted(said: string, image: string): Unusable | undefined {
  if (/exec format error/i.test(said))
    return unusable(
      `the programs of the image ${image} are for another processor than this machine has`,
      'build it on this machine, or with docker build --platform for it',
    )
  if (/(\/usr\/bin\/env|\/bin\/sh)\b.*no such file/i.test(said))
    return unusable(`the image ${image} has no /bin/sh or no /usr/bin/env`, imageHint)
  return undefined
}
