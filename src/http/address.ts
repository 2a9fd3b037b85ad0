import { readFile, rm, writeFile } from 'node:fs/promises'
import { z } from 'zod'

const Address = z.object({ url: z.url(), pid: z.number().int() })
/** Where the live service of a data folder listens. A killed service leaves its address behind: ask `/health` before believing it. */
export type Address = z.infer<typeof Address>

export async function writeAddress(path: string, address: Address): Promise<void> {
  await writeFile(path, JSON.stringify(address), { mode: 0o600 })
}

export async function readAddress(path: string): Promise<Address | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return Address.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** Only its own: another server of the same data folder may have written its address since. */
export async function removeAddress(path: string, { url, pid }: Address): Promise<void> {
  const written = await readAddress(path)
  if (written?.pid === pid && written.url === url) await rm(path, { force: true })
}
