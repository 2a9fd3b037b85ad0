import { SetupError } from './errors.ts'

/** A folder in a git repository, as people write it: `acme/routines`, `acme/shop:ci/routines@main`, or a URL in place of the name. */
export type RepositoryFolder = {
  /** For people: what they wrote, with the folder named. */
  name: string
  repository: string
  /** Without slashes at its ends; empty = the root of the repository. */
  folder: string
  /** null = the repository's own default. */
  branch: string | null
}

const repositories = [
  // owner/name on the forge
  String.raw`[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9_.-]+`,
  // https://host/owner/name, ssh://git@host/owner/name, file:///srv/git/routines.git
  String.raw`(?:https?|ssh)://[^/\s]+/[^:@\s]+|file:///[^:@\s]+`,
  // git@host:owner/name
  String.raw`[\w.-]+@[\w.-]+:[^:@\s]+`,
]
const form = new RegExp(`^(${repositories.join('|')})(?::([^:@]+))?(?:@(\\S+))?$`)

/** undefined: it is a path on this machine. Throws SetupError for a folder outside the repository. */
export function parseRepositoryFolder(variable: string, written: string): RepositoryFolder | undefined {
  const found = form.exec(written)
  // `./routines` and `../routines` have the form of a name.
  if (!found || /^\.{1,2}\//.test(written)) return undefined
  const [, repository = '', inside = 'routines', branch = null] = found
  const parts = inside.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..') || inside.startsWith('/')) {
    throw new SetupError(
      `configuration: ${variable} names the folder ${JSON.stringify(inside)}, which is not in the repository`,
      `write a folder of it, such as ${repository}:routines, or ${repository}:. for its root`,
    )
  }
  return named({ repository, folder: parts.join('/'), branch })
}

/** The folder of this name beside it; in it, when it is the root. */
export function besideIn({ repository, folder, branch }: RepositoryFolder, name: string): RepositoryFolder {
  return named({ repository, folder: [...folder.split('/').slice(0, -1), name].join('/'), branch })
}

function named(place: Omit<RepositoryFolder, 'name'>): RepositoryFolder {
  const { repository, folder, branch } = place
  return { ...place, name: `${repository}:${folder || '.'}${branch === null ? '' : `@${branch}`}` }
}
