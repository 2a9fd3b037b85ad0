import { removeFolder } from '../sandboxes/remove-folder.ts'
import { createCheckout, findCheckout, mountsFor } from './checkout.ts'
import { collectPatch } from './collect.ts'
import { operatorGit } from './git.ts'
import { createMirrors, resolveBase } from './mirror.ts'
import { openQuarantine } from './quarantine.ts'

export type { Checkout } from './checkout.ts'
export type { Mirror } from './mirror.ts'

/** The acts on copies of repositories. `operator` is whose settings apply when the operator's own repositories are read. */
export function createCheckouts({ operator }: { operator: { path: string; home: string } }) {
  const ensureMirror = createMirrors(operatorGit(operator))
  return {
    ensureMirror,
    resolveBase,
    createCheckout,
    findCheckout,
    mountsFor,
    removeFolder,
    collectPatch,
    openQuarantine,
  }
}
export type Checkouts = ReturnType<typeof createCheckouts>
