import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { callFilter } from '../../../src/sandboxes/bubblewrap/call-filter.ts'

/** What the kernel does with the program: seccomp(2), and the classic BPF of linux/filter.h, as far as it is used. */
function answer(program: Buffer, call: { architecture: number; number: number; argument: number }): string {
  const data: Record<number, number> = { 0: call.number, 4: call.architecture, 16: call.argument }
  let held = 0
  for (let step = 0; ; step += 1) {
    const [code, value] = [program.readUInt16LE(step * 8), program.readUInt32LE(step * 8 + 4)]
    const [whenTrue, whenFalse] = [program.readUInt8(step * 8 + 2), program.readUInt8(step * 8 + 3)]
    if (code === 0x20) held = data[value] ?? Number.NaN
    else if (code === 0x15) step += held === value ? whenTrue : whenFalse
    else if (code === 0x35) step += held >= value ? whenTrue : whenFalse
    else return value === 0x7fff_0000 ? 'allowed' : `errno ${value - 0x5_0000}`
  }
}
const [x64, i386, arm64, arm] = [0xc000_003e, 0x4000_0003, 0xc000_00b7, 0x4000_0028]
const [unix, inet, inet6, netlink, vsock] = [1, 2, 10, 16, 40]

test.each([
  ['x64', x64, 41, 248],
  ['x64', i386, 359, 286],
  ['arm64', arm64, 198, 217],
  ['arm64', arm, 281, 309],
])('on %s (%i) sockets are of four kinds, and there are no keys', (processor, architecture, number, firstOfKeys) => {
  const program = callFilter(processor)!
  for (const argument of [unix, inet, inet6, netlink])
    expect(answer(program, { architecture, number, argument })).toBe('allowed')
  const others = fc.integer({ min: 0, max: 0xffff_ffff }).filter((kind) => ![unix, inet, inet6, netlink].includes(kind))
  fc.assert(
    fc.property(fc.oneof(fc.constant(vsock), others), (argument) => {
      expect(answer(program, { architecture, number, argument })).toBe('errno 97')
    }),
  )
  // io_uring_setup, add_key, request_key, keyctl.
  for (const number of [425, firstOfKeys, firstOfKeys + 1, firstOfKeys + 2])
    expect(answer(program, { architecture, number, argument: 0 })).toBe('errno 1')
})

test('every other call is none of its business, but for those that make sockets unseen and those of keys', () => {
  const program = callFilter('x64')!
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 500 }), fc.nat(), (number, argument) => {
      fc.pre(![41, 425, 248, 249, 250].includes(number))
      expect(answer(program, { architecture: x64, number, argument })).toBe('allowed')
    }),
  )
  // The second set of calls of x64, and the one call for all of i386.
  expect(answer(program, { architecture: x64, number: 0x4000_0000 + 41, argument: vsock })).toBe('errno 1')
  expect(answer(program, { architecture: i386, number: 102, argument: 1 })).toBe('errno 1')
  expect(answer(program, { architecture: arm64, number: 198, argument: inet })).toBe('errno 1')
})

test('a processor that is not known has none', () => {
  expect(callFilter('riscv64')).toBeUndefined()
  expect(callFilter('constructor')).toBeUndefined()
})
