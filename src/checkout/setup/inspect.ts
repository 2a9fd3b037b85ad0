import { OddArchive, shown, type Member } from './members.ts'

/**
 * Why an archive must not be unpacked: it holds something outside of `roots`, or something that would be written through a link of
 * its own. Links themselves may lead anywhere, as those of installed programs do. undefined = it may be.
 */
export async function faultOf(members: AsyncIterable<Member>, roots: readonly string[]): Promise<string | undefined> {
  const rule = createRule(roots)
  try {
    for await (const member of members) {
      const fault = rule(member)
      if (fault !== undefined) return fault
    }
    return undefined
  } catch (error) {
    if (error instanceof OddArchive) return `it ${error.message}`
    throw error
  }
}

function createRule(roots: readonly string[]): (member: Member) => string | undefined {
  // As names are read: a byte a letter.
  const allowed = roots.map((root) => Buffer.from(root).toString('latin1'))
  const links = new Set<string>()
  const behindLink = (name: string) => foldersOf(name).some((folder) => links.has(folder))
  const outside = (name: string) =>
    !isPlain(name) || !allowed.some((root) => name === root || name.startsWith(`${root}/`))

  return (member) => {
    const { name } = member
    if (outside(name)) return `it holds ${shown(name)}, which is not among what is kept`
    if (links.has(name) || behindLink(name)) return `it writes ${shown(name)} through a link`
    if (member.kind === 'link') links.add(name)
    if (member.kind !== 'same') return undefined
    const { target } = member
    if (outside(target)) return `its ${shown(name)} is a file outside of what is kept`
    if (behindLink(target)) return `its ${shown(name)} is a file behind a link`
    if (links.has(target)) links.add(name)
    return undefined
  }
}

const isPlain = (name: string) =>
  !name.includes('\0') && name.split('/').every((part) => part !== '' && part !== '.' && part !== '..')

function foldersOf(name: string): string[] {
  const parts = name.split('/')
  return parts.slice(1).map((_part, index) => parts.slice(0, index + 1).join('/'))
}
