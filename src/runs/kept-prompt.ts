import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What the agent of an attempt was told, and the nonce of the marks around what came from outside. */
export type KeptPrompt = { prompt: string; nonce: string }

/** Beside the folder of the attempt's transcript, which is made anew when the agent begins to speak. */
const fileOf = (transcript: string) => `${transcript}.prompt.json`

export async function keepPrompt(transcript: string, told: KeptPrompt): Promise<void> {
  await mkdir(dirname(transcript), { recursive: true, mode: 0o700 })
  await writeFile(fileOf(transcript), JSON.stringify(told), { mode: 0o600 })
}

/** undefined: this attempt had told its agent nothing. */
export async function readPrompt(transcript: string): Promise<KeptPrompt | undefined> {
  const text = await readFile(fileOf(transcript), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as KeptPrompt)
}
