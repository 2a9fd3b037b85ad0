import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { createCheckouts } from '../../src/checkout/index.ts'
import type { Patch } from '../../src/checkout/patch.ts'
import type { Repository } from '../../src/forges/forge.ts'
import { createLocalForge } from '../../src/forges/local.ts'
import { createOperator, createRepository, type Files, type Operator, openFolder } from './git-repository.ts'
import { openHostSandbox } from './host-sandbox.ts'
import { createPullRecords } from './pull-records.ts'

export function repositoryAt(path: string): Repository {
  const name = realpathSync(path)
  const gitDir = join(name, '.git')
  return { forge: 'local', name, url: existsSync(gitDir) ? gitDir : name }
}

/** git of an operator on repositories of this machine. */
export function openLocalRemotes(operator: Operator) {
  return createLocalForge({ operator, pulls: createPullRecords() }).openRemote
}

/** A repository of the operator, its mirror and a checkout: everything up to the moment the agent starts. */
export async function openCheckout(options: { files?: Files; source?: (folder: string) => string } = {}) {
  const folder = openFolder()
  const signal = AbortSignal.timeout(60_000)
  const checkouts = createCheckouts({ openRemote: openLocalRemotes(createOperator(folder.path)) })
  const source = options.source?.(folder.path) ?? createRepository(join(folder.path, 'shop'), options.files)
  const mirror = await checkouts.ensureMirror({
    root: join(folder.path, 'mirrors'),
    repository: repositoryAt(source),
    signal,
  })
  const base = await checkouts.resolveBase(mirror, null)
  const checkout = await checkouts.createCheckout({ mirror, base, folder: join(folder.path, 'work', 'run-1'), signal })
  return {
    folder: folder.path,
    source,
    checkouts,
    mirror,
    base,
    checkout,
    signal,
    collect: () => checkouts.collectPatch({ checkout, sandbox: openHostSandbox(), signal }),
    openPatch: (patch: Patch) =>
      checkouts.openQuarantine({ mirror, patch, folder: join(folder.path, 'work', 'quarantine'), signal }),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
}
