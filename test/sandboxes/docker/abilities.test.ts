import { expect, test } from 'vitest'
import { hostSocketNote, uringNote } from '../../../src/sandboxes/call-notes.ts'
import { callNotes } from '../../../src/sandboxes/docker/abilities.ts'

const closed = 'closed' as const

test.each([
  ['20.10.24+dfsg1', undefined, true],
  ['24.0.9', undefined, true],
  ['25.0.0', undefined, false],
  ['28.2.2', undefined, false],
  ['dev', undefined, true],
  [undefined, undefined, true],
  ['28.2.2', 'open', true],
  ['24.0.9', 'closed', false],
] as const)('Docker %s, in which io_uring was seen %s: the run says so: %s', (ServerVersion, uring, said) => {
  const abilities = ServerVersion === undefined ? {} : { ServerVersion }
  expect(callNotes({ hostSocket: closed, uring }, abilities)).toEqual(said ? [uringNote] : [])
})

test('a socket to the host is closed where that was seen, and nowhere else', () => {
  const notes = (hostSocket: 'open' | 'closed' | undefined) => callNotes({ hostSocket, uring: closed }, {})
  expect([notes('open'), notes(undefined), notes('closed')]).toEqual([[hostSocketNote], [hostSocketNote], []])
})
