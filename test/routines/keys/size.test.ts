import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesOf, size, writtenSize } from '../../../src/routines/keys/size.ts'

test('what is written is read, and written again means the same', () => {
  const property = fc.property(fc.integer({ min: 1, max: 99_999 }), fc.constantFrom('MB', 'GB'), (count, unit) => {
    const written = `${count}${unit}`
    const bytes = bytesOf(size.parse(written))
    expect(bytes).toBe(count * 1024 ** (unit === 'GB' ? 3 : 2))
    expect(bytesOf(writtenSize(bytes))).toBe(bytes)
  })
  fc.assert(property)
  expect(writtenSize(2048 * 1024 ** 2)).toBe('2GB')
})

test.for(['', '4', '4G', '4gb', '0MB', '-1GB', '1.5GB', ' 4GB', '4 GB', '123456MB', '4TB', 4, null])(
  '%j is refused',
  (written) => {
    expect(size.safeParse(written).success).toBe(false)
  },
)
