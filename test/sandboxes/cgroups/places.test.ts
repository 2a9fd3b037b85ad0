import { describe, expect, test } from 'vitest'
import { cgroupPlaces } from '../../../src/sandboxes/cgroups/places.ts'

const lines = (...lines: string[]) => `${lines.join('\n')}\n`
const rest = '23 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n24 23 0:22 / /proc rw - proc proc rw\n'

describe('version 1', () => {
  const mounts =
    rest +
    lines(
      '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct',
      '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory',
      '39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids',
      '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
    )

  test('a folder for each controller, in the groups of this process', () => {
    const own = lines('8:pids:/', '4:memory:/system.slice/overnight.service', '1:cpu,cpuacct:/a/b', '0::/')
    expect(cgroupPlaces(own, mounts)).toEqual({
      version: 1,
      folders: {
        memory: '/sys/fs/cgroup/memory/system.slice/overnight.service',
        pids: '/sys/fs/cgroup/pids',
        cpu: '/sys/fs/cgroup/cpu,cpuacct/a/b',
      },
    })
  })

  test('a container has a part of the tree mounted, and is told the whole path', () => {
    const inside = lines('35 31 0:32 /docker/4f2a /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory')
    expect(cgroupPlaces(lines('4:memory:/docker/4f2a'), inside)).toEqual({
      version: 1,
      folders: { memory: '/sys/fs/cgroup/memory' },
    })
    expect(cgroupPlaces(lines('4:memory:/docker/4f2a/own'), inside)).toEqual({
      version: 1,
      folders: { memory: '/sys/fs/cgroup/memory/own' },
    })
    expect(cgroupPlaces(lines('4:memory:/'), inside)).toEqual({
      version: 1,
      folders: { memory: '/sys/fs/cgroup/memory' },
    })
  })
})

describe('version 2', () => {
  const mounts = rest + lines('41 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate')

  test('the own group, then the one around it', () => {
    expect(cgroupPlaces(lines('0::/system.slice/overnight.service/main'), mounts)).toEqual({
      version: 2,
      folders: ['/sys/fs/cgroup/system.slice/overnight.service/main', '/sys/fs/cgroup/system.slice/overnight.service'],
    })
  })

  test('nothing above the top', () => {
    expect(cgroupPlaces(lines('0::/'), mounts)).toEqual({ version: 2, folders: ['/sys/fs/cgroup'] })
  })
})

test.for([
  ['', ''],
  ['0::/\n', rest],
  ['nonsense\n4:memory\n::\n', 'nonsense\n- - -\n'],
] as const)('none at all: %#', ([own, mounts]) => {
  expect(cgroupPlaces(own, mounts)).toEqual({ version: 2, folders: [] })
})
