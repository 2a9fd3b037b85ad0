import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { bubblewrapArgv, type System } from '../../../src/sandboxes/bubblewrap/argv.ts'

const system: System = {
  paths: ['/usr', '/lib64'],
  links: [{ path: '/bin', target: 'usr/bin' }],
  emptied: ['/proc/keys'],
  memoryFileBytes: 1024,
  nestingForbidden: true,
  processesLimited: true,
  callsFiltered: true,
}
const segments = fc.array(fc.stringMatching(/^[a-c]{1,2}$/), { minLength: 1, maxLength: 5 })
const path = segments.map((names) => `/${names.join('/')}`)
const mounts = fc.uniqueArray(fc.record({ path, write: fc.boolean() }), {
  selector: (mount) => mount.path,
  maxLength: 6,
})

test('nothing that is shown or hidden is covered by what comes later', () => {
  const property = fc.property(mounts, fc.uniqueArray(path, { maxLength: 3 }), (mounts, hidden) => {
    const argv = bubblewrapArgv(system, { mounts, hidden, cwd: '/a' })
    const layers = argv.flatMap((word, at) => {
      if (word === '--bind' || word === '--ro-bind') return [argv[at + 2]!]
      return word === '--tmpfs' || word === '--proc' || word === '--dev' ? [argv[at + 1]!] : []
    })
    for (const [at, layer] of layers.entries()) {
      for (const later of layers.slice(at + 1))
        expect(layer === later ? [] : [layer]).not.toContain(`${later}/${layer.slice(later.length + 1)}`)
    }
    for (const mount of mounts)
      expect(argv.join(' ')).toContain(`${mount.write ? '--bind' : '--ro-bind'} ${mount.path} ${mount.path}`)
  })
  fc.assert(property)
})

test('the walls do not depend on the mounts', () => {
  const argv = bubblewrapArgv(system, { mounts: [], hidden: [], cwd: '/tmp' }).join(' ')
  for (const wall of [
    '--unshare-user',
    '--unshare-pid',
    '--unshare-net',
    '--unshare-ipc',
    '--unshare-uts',
    '--die-with-parent',
    '--new-session',
    '--cap-drop ALL',
    '--uid 1000',
    '--disable-userns',
  ]) {
    expect(argv).toContain(wall)
  }
  expect(bubblewrapArgv({ ...system, nestingForbidden: false }, { mounts: [], hidden: [], cwd: '/' })).not.toContain(
    '--disable-userns',
  )
})
