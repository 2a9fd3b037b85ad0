import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createCopies } from '../../../src/checkout/checkout.ts'
import { git, gitEnvironment } from '../../support/git-repository.ts'
import { cloneByHand } from '../clone-by-hand.ts'
import { startGitServer } from '../git-server.ts'
import { ensureLargeRepository } from '../large-repository.ts'
import { type Bench, mediansOf, timed } from '../row.ts'

const run = promisify(execFile)

/**
 * Private copies from a warm mirror, beside what everybody does without one. The two sides of a clone share this machine's
 * cores and no network lies between: a real one makes the clones slower and the copies not.
 *
 * Nothing is removed between the rounds: an ext4 without a journal looks at every inode freed in the last minutes before
 * it makes a file, and what was a third of a second becomes six.
 */
export async function copies({ place, tell }: Bench): Promise<void> {
  const repository = await ensureLargeRepository()
  await using server = await startGitServer(repository)
  const base = { branch: 'main', commit: git(repository, 'rev-parse', 'main') }
  const createCheckout = createCopies()
  const copy = (name: string) =>
    createCheckout({ mirror: { gitDir: repository }, base, folder: join(place, name), signal: undefined })
  const clone = async (url: string, name: string) => {
    await run('git', ['clone', '--quiet', '--depth=1', url, join(place, name)], { env: gitEnvironment })
  }
  const ways = {
    ours: copy,
    shared: (name: string) => cloneByHand(repository, join(place, name)),
    http: (name: string) => clone(server.url, name),
    file: (name: string) => clone(`file://${repository}`, name),
  }
  for (const [many, rounds] of [
    [1, 5],
    [10, 1],
  ] as const) {
    const at = (way: keyof typeof ways) => async (round: number) =>
      await timed(() =>
        Promise.all(Array.from({ length: many }, (_, one) => ways[way](`${way}-${many}-${round}-${one}`))),
      )
    const taken = await mediansOf(rounds, {
      ours: at('ours'),
      shared: at('shared'),
      http: at('http'),
      file: at('file'),
    })
    tell({
      what: many === 1 ? 'one private copy, large (median of 5)' : `${many} private copies at once, large`,
      unit: 'ms',
      figure: taken.ours,
      beside: [
        { what: 'clone --shared --no-checkout + checkout', figure: taken.shared },
        { what: 'clone --depth=1 over HTTP', figure: taken.http },
        { what: 'clone --depth=1 from file://', figure: taken.file },
      ],
    })
  }
}
