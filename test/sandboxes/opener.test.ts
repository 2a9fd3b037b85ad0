import { expect, test } from 'vitest'
import { StepFailed } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'
import { createSandboxOpener } from '../../src/sandboxes/opener.ts'
import type { Sandbox, SandboxDriver, SandboxName } from '../../src/sandboxes/sandbox.ts'

/** A driver that works while nothing is said against it, and says of itself whether that passes. */
function driverThat(name: SandboxName, fault: () => string | undefined): SandboxDriver {
  return {
    name,
    probe: async () => fault(),
    async open() {
      const missing = fault()
      if (missing !== undefined) throw new StepFailed('no_sandbox', `${name}: ${missing}`, { retryable: true })
      return { name, notes: [] } as unknown as Sandbox
    },
    reap: async () => 0,
  }
}

function machine() {
  const faults: Partial<Record<SandboxName, string>> = {}
  const drivers = Object.fromEntries(
    (['docker', 'bubblewrap', 'process'] as const).map((name) => [name, driverThat(name, () => faults[name])]),
  )
  const open = createSandboxOpener(drivers, createLog('silent'))
  const wish = { sandbox: null, engine: { name: 'command' }, needsWalls: false, had: null }
  return {
    faults,
    open: async (more: object = {}) => (await open({ ...wish, ...more }, { run: 'r', mounts: [] })).name,
  }
}

const away = { reason: 'no_sandbox', retryable: true, message: 'docker: the daemon is down' }

test('walls that worked and are away are waited for: a plain process does not take their place', async () => {
  const { faults, open } = machine()
  faults.bubblewrap = 'not installed'
  expect(await open()).toBe('docker')
  faults.docker = 'the daemon is down'
  await expect(open()).rejects.toMatchObject(away)
  await expect(open({ engine: { name: 'claude' } })).rejects.toMatchObject(away)
  expect(await open({ sandbox: 'process' })).toBe('process')
  delete faults.docker
  expect(await open()).toBe('docker')
})

test('nor does it for a run that was behind walls before the service started', async () => {
  const { faults, open } = machine()
  Object.assign(faults, { bubblewrap: 'not installed', docker: 'the daemon is down' })
  await expect(open({ had: 'docker' })).rejects.toMatchObject(away)
  expect(await open()).toBe('process')
  expect(await open({ had: 'process' })).toBe('process')
})

test('other walls may take their place', async () => {
  const { faults, open } = machine()
  expect(await open()).toBe('docker')
  faults.docker = 'the daemon is down'
  expect(await open()).toBe('bubblewrap')
})
