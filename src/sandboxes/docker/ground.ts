import { randomUUID } from 'node:crypto'
import { chmod, copyFile, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sandboxHome } from '../inside.ts'

export type DockerGround = {
  /** Of the folder: several services may share a daemon, and none may end what is another's. */
  id: string
  /** Files of ours that containers are shown. */
  folder: string
  user: User
}
export type User = { uid: number; gid: number }

/** Nobody's, as in infra/service: containers are never root, so a service that is lends what they write to somebody else. */
const instead: User = { uid: 4747, gid: 4747 }

/** Whom containers run as: whoever owns the checkouts. */
function containerUser(): User {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
  return uid === 0 ? instead : { uid, gid: gid === 0 ? uid : gid }
}

/** Puts into `folder` what containers are shown; safe to do by several processes at once. */
export async function ensureGround(folder: string): Promise<DockerGround> {
  await mkdir(folder, { recursive: true })
  const user = containerUser()
  // Programs ask who they are; nobody's user is in no image.
  await replace(join(folder, 'passwd'), (path) => writeFile(path, passwdOf(user)))
  await replace(join(folder, 'group'), (path) => writeFile(path, `root:x:0:\novernight:x:${user.gid}:\n`))
  await replace(join(folder, 'forwarder.mjs'), (path) => copyFile(join(import.meta.dirname, '../forwarder.mjs'), path))
  return { id: await ensureId(join(folder, 'id')), folder, user }
}

function passwdOf({ uid, gid }: User): string {
  return `root:x:0:0:root:/root:/usr/sbin/nologin\novernight:x:${uid}:${gid}:overnight:${sandboxHome}:/bin/sh\n`
}

async function replace(path: string, write: (path: string) => Promise<void>): Promise<void> {
  const own = `${path}.${randomUUID()}`
  await write(own)
  await chmod(own, 0o644)
  await rename(own, path)
}

/** Of a folder that was never used there is none, and so there are no containers of its. */
export async function findId(folder: string): Promise<string | undefined> {
  const id = await readFile(join(folder, 'id'), 'utf8').catch(() => '')
  return id.trim() || undefined
}

/** Whoever comes first decides; link(2) refuses the others. */
async function ensureId(path: string): Promise<string> {
  const own = `${path}.${randomUUID()}`
  await writeFile(own, randomUUID())
  await link(own, path).catch(() => undefined)
  await rm(own)
  return (await readFile(path, 'utf8')).trim()
}
