import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../errors.ts'
import { mostBytes, readHosts, type HostList, type Secret, type SecretSource } from './secret-source.ts'

/** A file a secret, which only the operator can read; beside it `<NAME>.hosts`. One line end at its end is cut. */
export function createFilesSource(folder: string): SecretSource & HostList {
  return {
    find: (name) => readSecret(join(folder, name)),
    async hostsOf(name) {
      const found = await readSecret(join(folder, `${name}.hosts`))
      return found && 'value' in found ? readHosts(found.value) : undefined
    },
  }
}

async function readSecret(path: string): Promise<Secret | undefined> {
  try {
    await using file = await open(path)
    const seen = await file.stat()
    if (!seen.isFile() || seen.size > mostBytes) return { missing: `${path} is no file with a secret` }
    if ((seen.mode & 0o077) !== 0) return { missing: `others may read ${path}: chmod 600 it` }
    const value = (await file.readFile('utf8')).replace(/\r?\n$/, '')
    return value === '' ? { missing: `${path} is empty` } : { value }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : { missing: messageOf(error) }
  }
}
