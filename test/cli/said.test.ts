import { expect, test } from 'vitest'
import { Said } from '../../src/cli/said.ts'

const hint = 'see /openapi.json for what is expected'
const help = 'the command with --help says what may be written'

test.each([
  [{ detail: 'hosts.0: must be a host', hint }, 'hosts: must be a host', help],
  [{ detail: 'value: must have 8 bytes or more', hint }, 'value: must have 8 bytes or more', help],
  [
    { detail: 'there is no run "x"', hint: '`overnight runs` lists them' },
    'there is no run "x"',
    '`overnight runs` lists them',
  ],
  [{}, 'the service answered 418', undefined],
])('what a service refuses is said in the words of commands: %#', (problem, message, advice) => {
  expect(new Said(418, problem)).toMatchObject({ message, hint: advice })
})
