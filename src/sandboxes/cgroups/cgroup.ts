import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { cgroupPlaces, controllers, type Controller } from './places.ts'
import type { ExitCause, Limits } from '../sandbox.ts'

/** What limits commands here, and what does not. */
export type Cgroups = {
  limits: readonly Controller[]
  open(run: string, limits: Limits): Promise<Cgroup>
  /** Removes groups of killed services whose processes are dead. */
  reap(abandoned: (run: string) => boolean): Promise<void>
}
type Cgroup = {
  /** Begins a command in the group: goes before the program that makes the walls. */
  launcher: string[]
  /** Once all its processes are gone: what it ran into, and the group is removed. */
  close(): Promise<ExitCause | undefined>
}

type Home = { folder: string; version: 1 | 2; controllers: readonly Controller[] }

const prefix = 'overnight.'
const periodUs = 100_000
/** A shell's one line: it is the group's first process, and then the launcher. */
const enter =
  'for group; do shift; [ "$group" = -- ] && break; echo 0 >"$group/cgroup.procs" || exit 125; done; exec "$@"'

/** Looks for a place where this process may make groups; where it may not, nothing is limited. */
export async function findCgroups(proc = '/proc/self'): Promise<Cgroups> {
  const [own, mounts] = await Promise.all(
    ['cgroup', 'mountinfo'].map((name) => readFile(join(proc, name), 'utf8').catch(() => '')),
  )
  const homes = await homesAt(cgroupPlaces(own ?? '', mounts ?? ''))
  return {
    limits: homes.flatMap((home) => home.controllers),
    open: (run, limits) => openGroup(homes, run, limits),
    async reap(abandoned) {
      for (const { folder } of homes) {
        for (const name of await readdir(folder).catch(() => [])) {
          const run = name.startsWith(prefix) ? name.slice(prefix.length, name.lastIndexOf('.')) : ''
          if (run !== '' && abandoned(run)) await rmdir(join(folder, name)).catch(() => undefined)
        }
      }
    },
  }
}

async function homesAt(places: ReturnType<typeof cgroupPlaces>): Promise<Home[]> {
  if (places.version === 2) {
    for (const folder of places.folders) {
      const home = await homeOf2(folder)
      if (home) return [home]
    }
    return []
  }
  const homes: Home[] = []
  for (const controller of controllers) {
    const folder = places.folders[controller]
    const home: Home | undefined = folder === undefined ? undefined : { folder, version: 1, controllers: [controller] }
    if (home && (await works(home))) homes.push(home)
  }
  return homes
}

/** A group gives its children only the controllers that it says it does. */
async function homeOf2(folder: string): Promise<Home | undefined> {
  for (const controller of controllers)
    await writeFile(join(folder, 'cgroup.subtree_control'), `+${controller}`).catch(() => undefined)
  const given = await readFile(join(folder, 'cgroup.subtree_control'), 'utf8').catch(() => '')
  const home: Home = { folder, version: 2, controllers: controllers.filter((name) => given.split(/\s/).includes(name)) }
  return home.controllers.length > 0 && (await works(home)) ? home : undefined
}

const least: Limits = { memoryBytes: 64 * 1024 ** 2, cpus: 1, processes: 16, diskBytes: 0 }

async function works(home: Home): Promise<boolean> {
  const folder = join(home.folder, `${prefix}probe.${randomBytes(4).toString('hex')}`)
  try {
    await mkdir(folder)
    await limit({ ...home, folder }, least)
    return true
  } catch {
    return false
  } finally {
    await rmdir(folder).catch(() => undefined)
  }
}

async function openGroup(homes: readonly Home[], run: string, limits: Limits): Promise<Cgroup> {
  const name = `${prefix}${run}.${randomBytes(4).toString('hex')}`
  const groups = homes.map((home) => ({ ...home, folder: join(home.folder, name) }))
  try {
    for (const group of groups) {
      await mkdir(group.folder)
      await limit(group, limits)
    }
  } catch (error) {
    for (const { folder } of groups) await rmdir(folder).catch(() => undefined)
    throw error
  }
  const folders = groups.map(({ folder }) => folder)
  return {
    launcher: folders.length === 0 ? [] : ['/bin/sh', '-c', enter, 'sh', ...folders, '--'],
    async close() {
      const causes = await Promise.all(groups.map(causeIn))
      for (const folder of folders) await remove(folder)
      return causes.find((cause) => cause !== undefined)
    },
  }
}

const files: Record<1 | 2, Record<Controller, (limits: Limits) => [file: string, value: string][]>> = {
  1: {
    memory: ({ memoryBytes }) => [['memory.limit_in_bytes', `${memoryBytes}`]],
    pids: ({ processes }) => [['pids.max', `${processes}`]],
    cpu: ({ cpus }) => [
      ['cpu.cfs_period_us', `${periodUs}`],
      ['cpu.cfs_quota_us', `${Math.round(cpus * periodUs)}`],
    ],
  },
  2: {
    memory: ({ memoryBytes }) => [['memory.max', `${memoryBytes}`]],
    pids: ({ processes }) => [['pids.max', `${processes}`]],
    cpu: ({ cpus }) => [['cpu.max', `${Math.round(cpus * periodUs)} ${periodUs}`]],
  },
}
/** Memory and swap together, and swap alone; a kernel that counts no swap has neither. */
const swapFiles = { 1: 'memory.memsw.limit_in_bytes', 2: 'memory.swap.max' }

async function limit({ folder, version, controllers }: Home, limits: Limits): Promise<void> {
  for (const controller of controllers) {
    for (const [file, value] of files[version][controller](limits)) await writeFile(join(folder, file), value)
    if (controller !== 'memory') continue
    const value = version === 1 ? `${limits.memoryBytes}` : '0'
    await writeFile(join(folder, swapFiles[version]), value).catch(() => undefined)
  }
}

async function causeIn({ folder, version, controllers }: Home): Promise<ExitCause | undefined> {
  const count = async (file: string, key: string) => {
    const text = await readFile(join(folder, file), 'utf8').catch(() => '')
    return Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(text)?.[1] ?? 0)
  }
  const memory = version === 1 ? 'memory.oom_control' : 'memory.events'
  if (controllers.includes('memory') && (await count(memory, 'oom_kill')) > 0) return 'out_of_memory'
  if (controllers.includes('pids') && (await count('pids.events', 'max')) > 0) return 'too_many_processes'
  return undefined
}

/** The kernel counts the last process out a moment after it is dead. */
async function remove(folder: string): Promise<void> {
  for (let tries = 0; tries < 50; tries += 1) {
    const done = await rmdir(folder).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
    )
    if (done) return
    await delay(10)
  }
}
