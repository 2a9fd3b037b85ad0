import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { shortSecrets } from '../../src/service/known-secrets.ts'
import { createSentSecrets, openSecrets } from '../../src/service/secrets.ts'
import type { SecretSource } from '../../src/secrets/secret-source.ts'
import { openFolder } from '../support/git-repository.ts'

test('a secret is a variable, else a file that only its owner can read', async () => {
  using folder = openFolder()
  const env = { OVERNIGHT_SECRET_A: 'from the variable', OVERNIGHT_SECRET_B: '', OVERNIGHT_DATA: folder.path }
  const config = readConfig(env, folder.path)
  const { secretOf } = openSecrets(config)
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

test('secrets of the operator that are too short to be found are known by their names', async () => {
  using folder = openFolder()
  const env = {
    OVERNIGHT_DATA: folder.path,
    OVERNIGHT_SECRET_CI: 'hush',
    OVERNIGHT_SECRET_CI_HOSTS: 'ci.io',
    OVERNIGHT_SECRET_LONG: 'long enough',
    DATABASE_URL: 'postgres://ada:short@localhost/overnight',
  }
  const config = readConfig(env, folder.path)
  await mkdir(config.paths.secrets)
  await writeFile(join(config.paths.secrets, 'FILE'), 'short\n', { mode: 0o600 })
  expect(await shortSecrets(config)).toEqual(['CI', 'DATABASE_URL', 'FILE'])
  expect(await shortSecrets(readConfig({ OVERNIGHT_DATA: join(folder.path, 'empty') }, folder.path))).toEqual([])
})

test('a secret is sent only to the hosts that are listed for it, in a variable or a file beside it', async () => {
  using folder = openFolder()
  const config = readConfig(
    {
      OVERNIGHT_DATA: folder.path,
      OVERNIGHT_SECRET_CI: 'hush',
      OVERNIGHT_SECRET_CI_HOSTS: 'ci.example, Other.example:8443',
      OVERNIGHT_SECRET_OPEN: 'hush',
      OVERNIGHT_SECRET_EMPTY: 'hush',
      OVERNIGHT_SECRET_EMPTY_HOSTS: '',
    },
    folder.path,
  )
  await mkdir(config.paths.secrets)
  const write = (name: string, text: string) => writeFile(join(config.paths.secrets, name), text, { mode: 0o600 })
  await write('FILE', 'from the file')
  await write('FILE.hosts', 'a.example\nb.example\n')
  const sent = createSentSecrets(openSecrets(config), config)
  const value = 'hush'
  expect(await sent('CI', 'https://ci.example/builds')).toEqual({ value })
  expect(await sent('CI', 'https://CI.example:8443/')).toEqual({ value })
  expect(await sent('CI', 'https://other.example:8443/')).toEqual({ value })
  expect(await sent('FILE', 'https://b.example/')).toEqual({ value: 'from the file' })
  const withheld: [name: string, url: string, host: string][] = [
    ['CI', 'https://other.example/', 'other.example'],
    ['CI', 'https://ci.example.evil.example/', 'ci.example.evil.example'],
    ['CI', 'https://evil.example/ci.example', 'evil.example'],
    ['OPEN', 'https://ci.example/', 'ci.example'],
    ['EMPTY', 'https://ci.example/', 'ci.example'],
    ['FILE', 'https://c.example/', 'c.example'],
  ]
  for (const [name, url, host] of withheld) {
    expect(await sent(name, url)).toEqual({
      message: `secret:${name} is not sent to ${host}`,
      hint: `list ${host} in OVERNIGHT_SECRET_${name}_HOSTS, or in the file ${join(config.paths.secrets, name)}.hosts (mode 600)`,
    })
  }
  expect(await sent('NONE', 'https://ci.example/')).toMatchObject({ message: 'secret:NONE is not there' })
})

test('a value of the operator goes to no host that somebody stored with another value of its name, nor the other way round', async () => {
  using folder = openFolder()
  const [program, ...args] = ['/bin/echo', 'from the vault:']
  const config = readConfig(
    {
      OVERNIGHT_DATA: folder.path,
      OVERNIGHT_SECRET_LINEAR: 'the operator’s',
      OVERNIGHT_SECRET_STORED_HOSTS: 'ours.example',
      OVERNIGHT_SECRET_VAULT_HOSTS: 'ours.example',
      OVERNIGHT_SECRET_COMMAND: [program, ...args].join(' '),
    },
    folder.path,
  )
  const stored = { LINEAR: 'a trap', STORED: 'stored' } as Record<string, string>
  const store: SecretSource = {
    find: async (name) => (stored[name] === undefined ? undefined : { value: stored[name], hosts: ['theirs.example'] }),
  }
  const sent = createSentSecrets(openSecrets(config, { store }), config)
  expect(await sent('LINEAR', 'https://theirs.example/mcp')).toEqual({
    message: 'secret:LINEAR is not sent to theirs.example',
    hint: expect.stringMatching(/^list theirs\.example in OVERNIGHT_SECRET_LINEAR_HOSTS, or /) as string,
  })
  expect(await sent('STORED', 'https://theirs.example/')).toEqual({ value: 'stored' })
  expect(await sent('STORED', 'https://ours.example/')).toEqual({
    message: 'secret:STORED is not sent to ours.example',
    hint: 'store it again with its hosts: overnight secret set STORED --hosts ours.example',
  })
  expect(await sent('VAULT', 'https://ours.example/')).toEqual({ value: 'from the vault: VAULT' })
  expect(await sent('VAULT', 'https://theirs.example/')).toMatchObject({
    message: 'secret:VAULT is not sent to theirs.example',
  })
})
