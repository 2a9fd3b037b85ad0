import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { expect, test, vi } from 'vitest'
import { openPipes } from '../../../src/sandboxes/commands/pipes.ts'

const openDescriptors = () => readdirSync('/proc/self/fd').length

test.for([
  ['real pipes', '/proc', 'prompt\nbeside\n'],
  ['socket pairs where there is no /proc', '/nonexistent', ''],
] as const)('%s carry a command, and none of their descriptors stays', async ([, proc, opened]) => {
  const before = openDescriptors()
  for (let time = 0; time < 3; time += 1) {
    const pipes = await openPipes(proc)
    const child = spawn('sh', ['-c', '(cat /dev/stdin; echo beside > /dev/stdout) 2>/dev/null; cat; echo end >&2'], {
      stdio: [...pipes.inside],
    })
    const { stdin, stdout, stderr } = pipes.streams(child)
    pipes.release(true)
    stdin.end('prompt\n')
    const [output, errors] = await Promise.all([text(stdout), text(stderr)])
    // What cannot be opened is left for the second cat, which reads the descriptor itself.
    expect({ output, errors }).toEqual({ output: opened || 'prompt\n', errors: 'end\n' })
  }
  await vi.waitFor(() => expect(openDescriptors()).toBeLessThanOrEqual(before), 10_000)
})

test('real pipes are what every command gets, also many at once', async () => {
  const before = openDescriptors()
  const pipes = await Promise.all(Array.from({ length: 60 }, () => openPipes()))
  pipes.forEach(({ release }) => release(false))
  expect(pipes.filter(({ inside }) => inside.includes('pipe'))).toEqual([])
  await vi.waitFor(() => expect(openDescriptors()).toBeLessThanOrEqual(before), 10_000)
})

test('what was not started leaves no descriptor', async () => {
  const before = openDescriptors()
  const pipes = await openPipes()
  pipes.release(false)
  await vi.waitFor(() => expect(openDescriptors()).toBeLessThanOrEqual(before), 10_000)
})
