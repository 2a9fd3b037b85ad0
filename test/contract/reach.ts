import { expect, test } from 'vitest'
import { notesOf, type Crew } from '../support/crew.ts'
import { git } from '../support/git-repository.ts'

/** What a run reaches beside its checkout, and what its timeline says of that. */
export function reachStories(sandbox: string, crew: () => Crew): void {
  test('the branches of its repository are fetched, and nothing is pushed', async () => {
    const repository = crew().repository(`way out/${sandbox}`)
    git(repository, 'branch', 'feature')
    const ended = await crew().run(`fetch-${sandbox}`, {
      repository,
      sh: `git fetch --quiet origin && git rev-parse origin/feature > fetched.txt
        git push origin HEAD:refs/heads/evil 2> pushed.txt
        git remote --verbose >> pushed.txt`,
      more: { sandbox, network: ['allowed.example'] },
    })
    expect(ended).toMatchObject({ state: 'published' })
    const diff = await crew().diff(ended.run)
    expect(diff).toContain(`+${git(repository, 'rev-parse', 'HEAD')}`)
    expect(diff).toMatch(/\+.*nothing is pushed from here/)
    expect(diff).not.toContain(repository)
    expect(git(repository, 'branch', '--list', 'evil')).toBe('')
    expect(await notesOf(crew(), ended.run)).toContain(
      'network: refused a push: it is not for agents: the change is published from the checkout',
    )
  })

  test.skipIf(sandbox === 'process')(
    'a host that is not listed is refused, and the timeline says so once',
    async () => {
      const ended = await crew().run(`refused-${sandbox}`, {
        sh: `for i in 1 2 3; do curl -sS https://evil.example/ 2>> refused.txt; done; curl -sS https://allowed.example.evil.example/; true`,
        more: { sandbox, network: ['allowed.example'] },
      })
      expect(ended).toMatchObject({ state: 'published' })
      expect(await crew().diff(ended.run)).toMatch(/\+curl: .*403/)
      expect(await notesOf(crew(), ended.run)).toEqual([
        'network: refused evil.example: it is not in the network of this routine',
        'network: refused allowed.example.evil.example: it is not in the network of this routine',
        'network: refused evil.example: it is not in the network of this routine (3 times in all)',
      ])
    },
  )

  test.skipIf(sandbox === 'process')('without a network there is no way at all', async () => {
    const ended = await crew().run(`none-${sandbox}`, {
      sh: `env | grep -i proxy > found.txt; curl -sS --max-time 5 http://127.0.0.1:47470/ 2>> found.txt; true`,
      more: { sandbox },
    })
    const diff = await crew().diff(ended.run)
    expect(diff).toMatch(/\+curl: .*onnect/)
    expect(diff).not.toMatch(/proxy=/i)
  })
}
