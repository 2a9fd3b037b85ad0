import { removeFolder } from '../sandboxes/remove-folder.ts'
import { asProposed, standsOn } from './as-proposed.ts'
import { createCopies, findCheckout, mountsFor } from './checkout.ts'
import { collectPatch } from './collect.ts'
import { createMirrors, type OpenRemote, resolveBase } from './mirror.ts'
import { openPullCopy, type PullCopyRequest } from './pull-copy.ts'
import { openQuarantine } from './quarantine.ts'
import { serveMirror } from './serve-mirror.ts'

export type { Checkout } from './checkout.ts'
export type { Mirror } from './mirror.ts'

/** The acts on copies of repositories. `openRemote` gives the git that may read one. */
export function createCheckouts({ openRemote }: { openRemote: OpenRemote }) {
  const ensureMirror = createMirrors(openRemote)
  return {
    ensureMirror,
    resolveBase,
    openPullCopy: (request: PullCopyRequest) => openPullCopy(openRemote, request),
    createCheckout: createCopies(),
    findCheckout,
    mountsFor,
    removeFolder,
    collectPatch,
    asProposed,
    standsOn,
    openQuarantine,
    serveMirror,
  }
}
export type Checkouts = ReturnType<typeof createCheckouts>
