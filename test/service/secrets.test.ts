import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { createSecrets } from '../../src/service/secrets.ts'
import { openFolder } from '../support/git-repository.ts'

test('a secret is a variable, else a file that only its owner can read', async () => {
  using folder = openFolder()
  const env = { OVERNIGHT_SECRET_A: 'from the variable', OVERNIGHT_SECRET_B: '', OVERNIGHT_DATA: folder.path }
  const config = readConfig(env, folder.path)
  const secretOf = createSecrets(config)
  await mkdir(config.paths.secrets)
  const write = (name: string, text: string, mode = 0o600) =>
    writeFile(join(config.paths.secrets, name), text, { mode })
  await write('A', 'from the file')
  await write('B', 'two words \r\n')
  await write('EMPTY', '\n')
  await write('OPEN', 'x')
  await chmod(join(config.paths.secrets, 'OPEN'), 0o644)
  await mkdir(join(config.paths.secrets, 'FOLDER'))
  expect(await secretOf('A')).toEqual({ value: 'from the variable' })
  expect(await secretOf('B')).toEqual({ value: 'two words ' })
  expect(await secretOf('EMPTY')).toMatchObject({ missing: expect.stringMatching(/is empty$/) as string })
  expect(await secretOf('OPEN')).toMatchObject({ missing: expect.stringMatching(/chmod 600/) as string })
  expect(await secretOf('FOLDER')).toMatchObject({ missing: expect.any(String) as string })
  const none = { missing: expect.stringMatching(/^set OVERNIGHT_SECRET_toString, or write it to/) as string }
  expect(await secretOf('toString')).toEqual(none)
  await write('A2', 'first')
  expect(await secretOf('A2')).toEqual({ value: 'first' })
  await write('A2', 'second')
  expect(await secretOf('A2')).toEqual({ value: 'second' })
})
