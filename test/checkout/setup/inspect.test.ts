import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { faultOf } from '../../../src/checkout/setup/inspect.ts'
import { membersOf } from '../../../src/checkout/setup/members.ts'
import { archiveOf, memberOf, paxRecord, type Written } from '../../support/tar.ts'

const roots = ['tree/deps', 'home/ä']
const inspect = (bytes: Buffer) =>
  faultOf(
    membersOf(async (position, length) => bytes.subarray(position, position + length), bytes.length),
    roots,
  )
/** Its header was changed by hand. */
function withSum(member: Buffer): Buffer {
  const sum = member.subarray(0, 512).reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0)
  member.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return member
}
const long = `tree/deps/${'long/'.repeat(60)}file`

describe('an archive of what is kept', () => {
  test.each<[string, Written[]]>([
    ['nothing', []],
    [
      'files and folders',
      [
        { name: 'tree/deps/', type: '5' },
        { name: 'tree/deps/a', data: 'x'.repeat(1000) },
      ],
    ],
    ['the root as a file, and letters of others', [{ name: Buffer.from('home/ä').toString('latin1') }]],
    ['links wherever they lead', [{ name: 'tree/deps/python', type: '2', link: '/usr/bin/python3' }]],
    ['two names of one file', [{ name: 'tree/deps/a' }, { name: 'tree/deps/b', type: '1', link: 'tree/deps/a' }]],
    [
      'two names of one link',
      [
        { name: 'tree/deps/a', type: '2', link: '../..' },
        { name: 'tree/deps/b', type: '1', link: 'tree/deps/a' },
      ],
    ],
    [
      'a long name as GNU writes it',
      [{ name: '././@LongLink', type: 'L', data: `${long}\0`, gnu: true }, { name: long }],
    ],
    [
      'a long name as POSIX writes it',
      [{ name: 'x', type: 'x', data: paxRecord('path', long) + paxRecord('mtime', '1.5') }, { name: 'cut' }],
    ],
  ])('%s', async (_what, members) => {
    expect(await inspect(archiveOf(...members))).toBeUndefined()
  })

  const hidden = memberOf({ name: 'outside/evil' }).toString('latin1')
  const longName = { name: '././@LongLink', type: 'L', data: 'tree/deps/a\0' }
  const escape = { name: 'tree/deps/out', type: '2', link: '/etc' }
  test.each<[string, Written[] | Buffer, string]>([
    ['another folder', [{ name: 'tree/src/a' }], 'holds "tree/src/a", which is not among what is kept'],
    ['a name that only begins alike', [{ name: 'tree/deps-of-others' }], 'which is not among'],
    ['an absolute name', [{ name: '/tree/deps/a' }], 'which is not among'],
    ['the way up', [{ name: 'tree/deps/../../x' }], 'which is not among'],
    ['the folder itself', [{ name: 'tree/deps/./a' }], 'which is not among'],
    ['a name in pieces', [{ name: 'tree/deps//a' }], 'which is not among'],
    [
      'a long name outside',
      [{ name: 'x', type: 'L', data: '/etc/passwd\0' }, { name: 'tree/deps/a' }],
      '"/etc/passwd"',
    ],
    [
      'a pax name outside',
      [{ name: 'x', type: 'x', data: paxRecord('path', '../x') }, { name: 'tree/deps/a' }],
      'holds "../x"',
    ],
    ['a file through a link', [escape, { name: 'tree/deps/out/passwd' }], 'through a link'],
    ['a file in place of a link', [escape, { name: 'tree/deps/out' }], 'through a link'],
    ['a folder in place of a link', [escape, { name: 'tree/deps/out/', type: '5' }], 'through a link'],
    [
      'a file through a second name of a link',
      [escape, { name: 'tree/deps/b', type: '1', link: 'tree/deps/out' }, { name: 'tree/deps/b/x' }],
      'through a link',
    ],
    ['a name of a file outside', [{ name: 'tree/deps/a', type: '1', link: '/etc/passwd' }], 'a file outside'],
    ['a name of a file above', [{ name: 'tree/deps/a', type: '1', link: 'tree/deps/../src' }], 'a file outside'],
    [
      'a name of a file behind a link',
      [escape, { name: 'tree/deps/a', type: '1', link: 'tree/deps/out/passwd' }],
      'a file behind a link',
    ],
    ...['3', '4', '6', '7', 'S', 'g', 'M', 'z'].map((type): [string, Written[], string] => [
      `a member of type ${type}`,
      [{ name: 'tree/deps/a', type }],
      'no file, folder or link',
    ]),
    [
      'a header of pax that is not known',
      [{ name: 'x', type: 'x', data: paxRecord('GNU.sparse.name', '/etc/x') }, { name: 'tree/deps/a' }],
      'a header that is not known: "GNU.sparse.name"',
    ],
    ...['1', '2', '5'].map((type): [string, Written[], string] => [
      `data behind a member of type ${type}, that tar(1) reads as members`,
      [{ name: 'tree/deps/a' }, { name: 'tree/deps/b', type, link: 'tree/deps/a', data: hidden }],
      'says that "tree/deps/b" has data',
    ]),
    ['data behind a file that tar(1) makes a folder of', [{ name: 'tree/deps/b/', data: hidden }], 'ends with a slash'],
    ['a link that is written as a folder', [{ name: 'tree/deps/b/', type: '2', link: 'a' }], 'ends with a slash'],
    [
      'a name of GNU beside one of pax',
      [{ name: 'x', type: 'x', data: paxRecord('path', 'tree/deps/a') }, longName, { name: 'tree/deps/b' }],
      'names one member twice',
    ],
    [
      'a name of pax beside one of GNU',
      [longName, { name: 'x', type: 'x', data: paxRecord('mtime', '1') }, { name: 'tree/deps/b' }],
      'names one member twice',
    ],
    ['two names of GNU', [longName, longName, { name: 'tree/deps/b' }], 'names one member twice'],
    [
      'two names in a header of pax',
      [{ name: 'x', type: 'x', data: paxRecord('path', 'tree/deps/a').repeat(2) }, { name: 'tree/deps/b' }],
      'names one member twice',
    ],
    ['a broken header of pax', [{ name: 'x', type: 'x', data: '99 path=/x\n' }], 'a broken header'],
    ['a name without end', [{ name: 'x', type: 'L', data: 'x'.repeat(70_000) }], 'a name that is too long'],
    ['a second archive behind its end', Buffer.concat([archiveOf(), archiveOf({ name: '/etc/x' })]), 'goes on after'],
    ['half of it', archiveOf({ name: 'tree/deps/a', data: 'x'.repeat(600) }).subarray(0, 1024), 'in the middle'],
    ['no end', memberOf({ name: 'tree/deps/a' }), 'in the middle'],
    ['a size that leads nowhere', [{ name: 'tree/deps/a', size: 8 ** 10 }], 'in the middle'],
    ['something else', Buffer.from('#!/bin/sh\n'.repeat(200)), 'no archive'],
  ])('%s: refused', async (_what, members, why) => {
    const bytes = Buffer.isBuffer(members) ? members : archiveOf(...members)
    expect(await inspect(bytes)).toContain(why)
  })

  test('a size in another way of writing', async () => {
    const bytes = memberOf({ name: 'tree/deps/a' })
    bytes[124] = 0x80
    expect(await inspect(Buffer.concat([withSum(bytes), Buffer.alloc(1024)]))).toContain('more than is kept')
  })

  test('a size behind a space that only some programs skip', async () => {
    const bytes = memberOf({ name: 'tree/deps/a' })
    bytes[124] = 0xa0
    expect(await inspect(Buffer.concat([withSum(bytes), Buffer.alloc(1024)]))).toContain('more than is kept')
  })

  test('whatever the bytes are, the answer is a sentence or none', async () => {
    const part = fc.oneof(
      fc.uint8Array({ maxLength: 1500 }).map((bytes) => Buffer.from(bytes)),
      fc
        .record({ name: fc.string({ maxLength: 90 }), type: fc.constantFrom('0', '1', '2', '5', 'L', 'K', 'x') })
        .chain((member) => fc.string({ maxLength: 700 }).map((data) => memberOf({ ...member, data }))),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 4 }), async (parts) => {
        const fault = await inspect(Buffer.concat([...parts, Buffer.alloc(1024)]))
        expect(typeof fault === 'string' || fault === undefined).toBe(true)
      }),
    )
  })

  test('whatever the names are, what passes lies inside and nothing lies behind a link', async () => {
    const segment = fc.constantFrom('tree', 'deps', 'a', 'b', '..', '.', '', 'etc')
    const name = fc.oneof(
      fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
      fc.array(fc.constantFrom('a', 'b'), { maxLength: 3 }).map((parts) => ['tree/deps', ...parts].join('/')),
    )
    const member = fc.record({ name, type: fc.constantFrom('0', '1', '2', '5'), link: name })
    await fc.assert(
      fc.asyncProperty(fc.array(member, { maxLength: 5 }), async (members) => {
        if ((await inspect(archiveOf(...members))) !== undefined) return
        for (const [index, { name }] of members.entries()) {
          expect(name).toMatch(/^tree\/deps(\/(tree|deps|etc|a|b))*\/*$/)
          const links = members.slice(0, index).filter(({ type }) => type === '2')
          for (const link of links)
            expect(name.startsWith(`${link.name.replace(/\/+$/, '')}/`) && name !== link.name).toBe(false)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
