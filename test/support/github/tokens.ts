import { randomBytes } from 'node:crypto'

export type Access = 'read' | 'write'
/** A token as the outside knows it, and the one that the emulator knows for it. */
export type Token = {
  value: string
  inner: string
  /** For the journal: never the token itself. */
  name: string
  /** undefined: everything its owner may. */
  permissions?: Record<string, string>
  /** Canonical names; undefined = all. */
  repositories?: readonly string[]
  mayWrite: boolean
  valid: boolean
}

/** The emulator takes every token for somebody's and lets none expire; this list does neither. */
export function createTokens(appId: string) {
  const known = new Map<string, Token>()
  const state = { minted: 0 }
  return {
    add(token: Omit<Token, 'valid'>): Token {
      const added = { ...token, valid: true }
      known.set(token.value, added)
      return added
    },
    /** In the form that GitHub hands out since 2026: `ghs_<app>_<JWT>`, some 520 characters. */
    mint(inner: string, limits: Pick<Token, 'permissions' | 'repositories'>): Token {
      state.minted += 1
      const jwt = [60, 250, 180]
        .map((size) => randomBytes(size).toString('base64url'))
        .join('.')
        .slice(0, 500)
      return this.add({
        value: `ghs_${appId}_${jwt}`,
        inner,
        name: `installation-${state.minted}`,
        mayWrite: true,
        ...limits,
      })
    },
    find(authorization: string | undefined): Token | 'none' | 'app' | 'unknown' {
      if (authorization === undefined) return 'none'
      const value = valueIn(authorization)
      // A JSON web token of the App: the emulator checks its signature itself.
      if (value.startsWith('eyJ')) return 'app'
      const token = known.get(value)
      return token?.valid ? token : 'unknown'
    },
    revoke(which: (token: Token) => boolean): void {
      for (const token of known.values()) if (which(token)) token.valid = false
    },
    all: () => [...known.values()],
  }
}
export type Tokens = ReturnType<typeof createTokens>

function valueIn(authorization: string): string {
  const [scheme = '', value = ''] = authorization.split(' ')
  if (scheme.toLowerCase() !== 'basic') return value
  return Buffer.from(value, 'base64').toString('utf8').split(':').slice(1).join(':')
}

export function mayAct(token: Token | 'none', scope: string, access: Access): boolean {
  if (token === 'none') return access === 'read'
  if (access === 'write' && !token.mayWrite) return false
  if (token.permissions === undefined) return true
  const granted = token.permissions[scope]
  return granted === 'write' || (granted === 'read' && access === 'read')
}
