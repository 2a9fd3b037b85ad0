import { expect, test } from 'vitest'
import { collect } from '../../src/runs/collect.ts'
import type { Prepared } from '../../src/runs/prepare.ts'
import type { Task } from '../../src/runs/task.ts'
import type { SandboxWish } from '../../src/sandboxes/opener.ts'
import type { SandboxName } from '../../src/sandboxes/sandbox.ts'

/** Which sandbox is asked for when what the agent left is looked at. */
async function askedFor(asked: SandboxName | null, agents: SandboxName | undefined, run: SandboxName | null) {
  const wishes: SandboxWish[] = []
  const task = {
    run: { id: 'r', sandbox: run },
    routine: { sandbox: asked, engine: { name: 'command' }, needsWalls: false },
    held: { advance: async () => {} },
    tools: {
      checkouts: { mountsFor: () => ({ collector: [] }), collectPatch: async () => undefined },
      openSandbox: async (wish: SandboxWish) => {
        wishes.push(wish)
        return { [Symbol.asyncDispose]: async () => {} }
      },
      reached: async () => {},
    },
    signal: new AbortController().signal,
    folder: '/nowhere',
  } as unknown as Task
  const exit = { because: 'exit', code: 0, signal: null, said: null, ...(agents && { sandbox: agents }) } as const
  await collect(task, { checkout: {}, mirror: {} } as Prepared, exit)
  return wishes.map(({ sandbox, had }) => ({ sandbox, had }))
}

test.each([
  ['nothing asked for', null, 'docker', null, { sandbox: 'docker', had: 'docker' }],
  [
    'an earlier process of ours saw the end',
    null,
    undefined,
    'bubblewrap',
    { sandbox: 'bubblewrap', had: 'bubblewrap' },
  ],
  ['asked for', 'docker', 'docker', 'docker', { sandbox: 'docker', had: 'docker' }],
  ['no walls worked then', null, 'process', 'process', { sandbox: null, had: 'process' }],
] as const)('what an agent left is looked at in its own walls: %s', async (_, asked, agents, run, wish) => {
  expect(await askedFor(asked, agents, run)).toEqual([wish])
})
