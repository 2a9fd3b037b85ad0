import { readFile } from 'node:fs/promises'
import { messageOf, StepFailed } from '../../errors.ts'

/** Read at each use, so that a new key needs no new start. */
export async function readKey(keyFile: string): Promise<string> {
  return readFile(keyFile, 'utf8').catch((error: unknown) => {
    throw new StepFailed('forge_denied', `the key of the GitHub App cannot be read: ${messageOf(error)}`, {
      hint: 'correct OVERNIGHT_GITHUB_APP_KEY_FILE',
    })
  })
}
