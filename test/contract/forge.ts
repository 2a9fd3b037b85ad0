import { describe, expect, test } from 'vitest'
import type { Forge, PullDesk, PullDraft, Repository } from '../../src/forges/forge.ts'

/** A forge with one repository on it whose `main` has at least one commit. */
export type ForgeGround = AsyncDisposable & {
  forge: Forge
  desk?: PullDesk
  /** As a routine would write it, and the folder it is relative to. */
  repository: string
  from: string
  /** What this forge answers for a repository that is not there. */
  missing: string
  /** A bare repository of ours, with objects of the forge's repository at hand. */
  gitDir: string
  /** A new commit in `gitDir` on top of `parent`. */
  commit(parent: string, files: Record<string, string>): string
  /** Somebody else moves a branch on the forge. */
  move(branch: string, commit: string): void
  signal: AbortSignal
}

/** What every forge promises. */
export function forgeContract(name: string, open: () => Promise<ForgeGround>): void {
  const branch = 'overnight/tidy/main'

  async function openLocated() {
    const ground = await open()
    const repository = await ground.forge.locate(ground.repository, ground.from)
    const base = (await ground.forge.findHead(repository, 'main'))!
    const push = (commit: string, expected: string | null) =>
      ground.forge.ensureBranch({ repository, branch, commit, expected, gitDir: ground.gitDir, signal: ground.signal })
    return {
      ...ground,
      written: ground.repository,
      repository,
      base,
      push,
      [Symbol.asyncDispose]: () => ground[Symbol.asyncDispose](),
    }
  }
  const draftFor = (repository: Repository, head: string, rest: Partial<PullDraft> = {}): PullDraft => ({
    repository,
    branch,
    base: 'main',
    head,
    title: 'Tidy up',
    body: 'Body\n\n<!-- overnight: tidy/main run-1 -->',
    draft: true,
    labels: ['routine'],
    reviewers: [],
    routine: 'tidy',
    subject: 'main',
    run: 'run-1',
    ...rest,
  })

  describe(`${name} keeps the promises of a forge`, () => {
    test('a repository has one name, and a missing one is said to be missing', async () => {
      await using ground = await openLocated()
      expect(await ground.forge.locate(ground.written, ground.from)).toEqual(ground.repository)
      await expect(ground.forge.locate(ground.missing, ground.from)).rejects.toMatchObject({ reason: 'no_checkout' })
      expect(ground.repository.forge).toBe(ground.forge.name)
    })

    test('a repository is read by a git of its own, which explains why it cannot', async () => {
      await using ground = await openLocated()
      await using remote = await ground.forge.openRemote(ground.repository, ground.signal)
      const { url } = ground.repository
      const listed = await remote.git(['ls-remote', url, 'refs/heads/main'], { signal: ground.signal })
      expect(listed.stdout.toString('utf8')).toBe(`${ground.base}\trefs/heads/main\n`)
      const failed = await remote
        .git(['ls-remote', url.replace(/(\.git)?$/, '-gone$1')])
        .catch((error: unknown) => error)
      expect(remote.explain(failed)).toMatchObject({ reason: 'no_checkout' })
      expect(JSON.stringify(ground.repository)).not.toMatch(/gh[pos]_/)
    })

    test('a branch that is not there has no head', async () => {
      await using ground = await openLocated()
      expect(await ground.forge.findHead(ground.repository, branch)).toBeUndefined()
      expect(ground.base).toMatch(/^[0-9a-f]{40}$/)
    })

    test('a branch is made, made again, and replaced only from where it was seen', async () => {
      await using ground = await openLocated()
      const [one, two, three] = [1, 2, 3].map((number) => ground.commit(ground.base, { 'a.txt': `${number}\n` })) as [
        string,
        string,
        string,
      ]
      await ground.push(one, null)
      await ground.push(one, null)
      expect(await ground.forge.findHead(ground.repository, branch)).toBe(one)

      await ground.push(two, one)
      await ground.push(two, one)
      expect(await ground.forge.findHead(ground.repository, branch)).toBe(two)

      await expect(ground.push(three, one)).rejects.toMatchObject({ reason: 'branch_has_other_commits' })
      await expect(ground.push(three, null)).rejects.toMatchObject({ reason: 'branch_has_other_commits' })
      expect(await ground.forge.findHead(ground.repository, branch)).toBe(two)
      expect(await ground.forge.findHead(ground.repository, 'main')).toBe(ground.base)
    })

    test('a pull request is opened once and then updated', async () => {
      await using ground = await openLocated()
      const one = ground.commit(ground.base, { 'a.txt': 'one\n' })
      await ground.push(one, null)
      const first = await ground.forge.ensurePull(draftFor(ground.repository, one))
      expect(first).toMatchObject({ branch, base: 'main', head: one, title: 'Tidy up', state: 'open', draft: true })
      expect(await ground.forge.ensurePull(draftFor(ground.repository, one))).toEqual(first)

      const two = ground.commit(ground.base, { 'a.txt': 'two\n' })
      await ground.push(two, one)
      const updated = await ground.forge.ensurePull(
        draftFor(ground.repository, two, { title: 'Tidier', body: 'New body' }),
      )
      expect(updated).toMatchObject({
        id: first.id,
        number: first.number,
        head: two,
        title: 'Tidier',
        body: 'New body',
      })
      expect(await ground.forge.findPulls(ground.repository, branch)).toHaveLength(1)
    })

    test('a pull request is found by its number, with the ref that has its head', async () => {
      await using ground = await openLocated()
      const { forge, repository, signal } = ground
      const one = ground.commit(ground.base, { 'a.txt': 'one\n' })
      await ground.push(one, null)
      const { number, url } = await forge.ensurePull(draftFor(repository, one))
      const found = (await forge.findPull(repository, number, signal))!
      expect(found).toMatchObject({ number, url, branch, base: 'main', state: 'open', fork: false })
      await using remote = await forge.openRemote(repository, signal)
      const { stdout } = await remote.git(['ls-remote', repository.url, found.ref], { signal })
      expect(stdout.toString()).toContain(one)
      expect(await forge.findPull(repository, 4711, signal)).toBeUndefined()
    })

    test('a hundred at once open one', async () => {
      await using ground = await openLocated()
      const one = ground.commit(ground.base, { 'a.txt': 'one\n' })
      await ground.push(one, null)
      const pulls = await Promise.all(
        Array.from({ length: 100 }, () => ground.forge.ensurePull(draftFor(ground.repository, one))),
      )
      expect(new Set(pulls.map(({ id }) => id)).size).toBe(1)
    })

    test('a family is the subject and its numbered successors, newest first', async () => {
      await using ground = await openLocated()
      const one = ground.commit(ground.base, { 'a.txt': 'one\n' })
      const branches = [branch, `${branch}-2`, `${branch}-10`, `${branch}-two`, `${branch}x`, 'overnight/tidy/mai']
      for (const name of branches) {
        await ground.forge.ensureBranch({ ...ground, branch: name, commit: one, expected: null })
        await ground.forge.ensurePull(draftFor(ground.repository, one, { branch: name }))
      }
      const family = await ground.forge.findPulls(ground.repository, branch)
      expect(family.map((pull) => pull.branch)).toEqual([`${branch}-10`, `${branch}-2`, branch])
    })

    test('what others did to the branch is seen', async () => {
      await using ground = await openLocated()
      const one = ground.commit(ground.base, { 'a.txt': 'one\n' })
      await ground.push(one, null)
      await ground.forge.ensurePull(draftFor(ground.repository, one))
      const theirs = ground.commit(one, { 'b.txt': 'theirs\n' })
      ground.move(branch, theirs)
      expect(await ground.forge.findHead(ground.repository, branch)).toBe(theirs)
      expect((await ground.forge.findPulls(ground.repository, branch))[0]).toMatchObject({
        state: 'open',
        head: theirs,
      })
      await expect(ground.push(ground.commit(ground.base, { 'a.txt': 'x\n' }), one)).rejects.toMatchObject({
        reason: 'branch_has_other_commits',
      })
    })

    test('aborting ends it', async () => {
      await using ground = await openLocated()
      const signal = AbortSignal.abort(new Error('stopped'))
      const commit = ground.commit(ground.base, { 'a.txt': 'one\n' })
      const push = { ...ground, branch, commit, expected: null, signal }
      await expect(ground.forge.ensureBranch(push)).rejects.toThrow('stopped')
      expect(await ground.forge.findHead(ground.repository, branch)).toBeUndefined()
    })
  })
}
