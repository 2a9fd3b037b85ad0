import { realpath } from 'node:fs/promises'
import { repositoryScope } from '../http/api/repository-scope.ts'
import { repositoryFrom } from './run.ts'

/** By which name runs of a service on this machine know a repository that is written in this folder: `owner/name`, or a path without links. */
export async function repositoryName(folder: string, written: string): Promise<string> {
  const found = repositoryFrom(folder, written)
  const name = repositoryScope(found) ?? found
  return name.startsWith('/') ? realpath(name).catch(() => name) : name
}
