import { createHmac } from 'node:crypto'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readAddress, removeAddress, writeAddress } from '../../src/http/address.ts'
import { ensureToken, proofOf, readToken } from '../../src/http/access/token.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'overnight-address-'))
})
afterEach(() => rm(folder, { recursive: true }))

const address = { url: 'http://127.0.0.1:4747', pid: 7 }

test('an address is read back until it is removed, by its owner alone', async () => {
  const path = join(folder, 'service.json')
  expect(await readAddress(path)).toBeUndefined()
  await writeAddress(path, address)
  expect(await readAddress(path)).toEqual(address)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  await removeAddress(path, { ...address, pid: 8 })
  expect(await readAddress(path)).toEqual(address)
  await removeAddress(path, address)
  await removeAddress(path, address)
  expect(await readAddress(path)).toBeUndefined()
})

test.each([
  '',
  'no json',
  '{',
  '[]',
  'null',
  '{"url":5,"pid":1}',
  '{"url":"not a url","pid":1}',
  '{"url":"http://127.0.0.1:1"}',
])('what is cut off or of another shape is no address: %j', async (text) => {
  await writeFile(join(folder, 'service.json'), text)
  expect(await readAddress(join(folder, 'service.json'))).toBeUndefined()
})

test('a token is made once, and nobody else may read it', async () => {
  const path = join(folder, 'token')
  expect(await readToken(path)).toBeUndefined()
  const token = await ensureToken(path)
  expect(await ensureToken(path)).toBe(token)
  expect(Buffer.from(token, 'base64url').length).toBe(32)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  expect(await readdir(folder)).toEqual(['token'])
})

test('a token file that was left empty is made anew', async () => {
  const path = join(folder, 'token')
  await writeFile(path, '')
  expect(Buffer.from(await ensureToken(path), 'base64url').length).toBe(32)
})

test('a proof needs the token, fits one challenge, and is no session', () => {
  const differ = fc.tuple(fc.uuid(), fc.uuid()).filter(([a, b]) => a !== b)
  fc.assert(
    fc.property(differ, differ, ([token, other], [challenge, another]) => {
      const proof = proofOf(token, challenge)
      expect(proofOf(token, challenge)).toBe(proof)
      expect(proofOf(token, another)).not.toBe(proof)
      expect(proofOf(other, challenge)).not.toBe(proof)
      // A session is a time, signed with the same key.
      const instant = String(Date.now())
      expect(proofOf(token, instant)).not.toBe(createHmac('sha256', token).update(instant).digest('base64url'))
    }),
  )
})
