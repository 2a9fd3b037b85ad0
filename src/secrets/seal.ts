import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** What a sealed value is bound to: moved to another name, to another scope or given other hosts, it cannot be opened. */
export type Bound = { name: string; routine: string; repository: string; hosts: readonly string[] }
export type Seal = {
  seal(value: string, bound: Bound): Buffer
  /** undefined: sealed with another key, or changed since. */
  open(sealed: Buffer, bound: Bound): string | undefined
}

const [nonceBytes, tagBytes] = [12, 16]

/** AES-256-GCM. `written`: a key, or several with spaces between while one is replaced: the first seals, each of them opens. */
export function createSeal(written: string): Seal {
  const keys = written
    .split(/\s+/)
    .filter((one) => one !== '')
    .map((one) => Buffer.from(hkdfSync('sha256', one, '', 'overnight secrets', 32)))
  const [newest] = keys
  if (newest === undefined) throw new Error('there is no key to seal secrets with')
  return {
    seal(value, bound) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', newest, nonce, { authTagLength: tagBytes }).setAAD(bytesOf(bound))
      const sealed = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed])
    },
    open(sealed, bound) {
      if (sealed.length < nonceBytes + tagBytes) return undefined
      const opened = keys.map((key) => openWith(key, sealed, bound))
      return opened.find((value) => value !== undefined)
    },
  }
}

function openWith(key: Buffer, sealed: Buffer, bound: Bound): string | undefined {
  const nonce = sealed.subarray(0, nonceBytes)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  decipher.setAAD(bytesOf(bound)).setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes))
  try {
    return decipher.update(sealed.subarray(nonceBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8')
  } catch {
    return undefined
  }
}

const bytesOf = ({ name, routine, repository, hosts }: Bound): Buffer =>
  Buffer.from(JSON.stringify(['overnight secret', name, routine, repository, hosts]))
