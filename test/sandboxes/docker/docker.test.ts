import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { SandboxDriver } from '../../../src/sandboxes/sandbox.ts'
import { sandboxContract } from '../../contract/sandbox.ts'
import { finish } from '../../contract/sandbox/place.ts'
import { wayOutContract } from '../../contract/way-out.ts'
import { startDocker, type Docker } from '../../support/docker.ts'
import { need } from '../../support/need.ts'
import { openSmallDisk } from '../../support/small-disk.ts'
import { buildSandboxImage, dockerDriver, smallLimits, tellDocker } from '../../support/sandbox-image.ts'

const started = await startDocker()
type Told = {
  HostConfig: Record<string, unknown>
  Config: { User: string; Env: string[]; Labels: Record<string, string> }
  Mounts: { Source: string; Destination: string; RW: boolean }[]
  State: { Pid: number }
  AppArmorProfile: string
}
const missing = need('missing' in started ? started.missing : undefined)

describe.skipIf(missing.skip)(`docker${missing.note}`, () => {
  const docker = started as Docker
  let folder: string
  let work: string
  let driver: SandboxDriver
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'overnight-docker-'))
    work = join(folder, 'work')
    await mkdir(work)
    tellDocker(docker, join(folder, 'ours'))
    await buildSandboxImage(docker)
    driver = dockerDriver()
  }, 300_000)
  afterAll(async () => {
    await docker[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  }, 60_000)

  const opened = (run: string, from = driver) => from.open({ run, mounts: [{ path: work, write: true }] })
  const containers = () => docker.docker('ps', '--all', '--quiet')
  async function build(name: string, text: string): Promise<string> {
    const dockerfile = join(folder, 'Dockerfile')
    await writeFile(dockerfile, text)
    const image = `overnight-${name}`
    await docker.docker('build', '--quiet', '--tag', image, '--file', dockerfile, join(folder, 'ours'))
    return image
  }

  sandboxContract({
    confines: true,
    namespaced: true,
    contained: true,
    fixture: 'docker',
    create: () => dockerDriver(),
  })
  describe('programs, and the network of a routine', () => {
    wayOutContract(() => dockerDriver())
  })

  test('what is missing in an image, and an image that is missing; nothing is pulled', async () => {
    expect(await dockerDriver({ image: 'overnight-debian' }).probe()).toBe('the image overnight-debian has no node')
    expect(await driver.about?.()).toMatch(/^Docker \d\S*, image overnight-sandbox of 20\d\d-\d\d-\d\d$/)
    const bare = await build('bare', 'FROM overnight-node\nRUN rm /usr/bin/jq /usr/bin/curl\n')
    expect(await dockerDriver({ image: bare }).about?.()).toMatch(/, without curl, jq$/)
    const absent = dockerDriver({ image: 'nobody/has:this' })
    expect(await absent.probe()).toBe('the image nobody/has:this is not there, and nothing is pulled unasked')
    await expect(opened('r', absent)).rejects.toMatchObject({
      reason: 'no_sandbox',
      hint: expect.stringContaining('docker build --tag nobody/has:this infra/sandbox'),
    })
  })

  test('a folder that the daemon sees elsewhere, as a service in a container may have one', async () => {
    const path = join(folder, 'elsewhere')
    await mkdir(path)
    await using disk = await openSmallDisk(path, 8)
    const probe = [join(import.meta.dirname, 'fixtures/probe-docker.ts'), path]
    const inside = [`--mount=/proc/${disk.within.pid}/ns/mnt`, process.execPath, ...probe]
    const { stdout } = await promisify(execFile)('nsenter', inside, { cwd: '/' })
    expect(stdout).toMatch(/does not exist|is not seen here/)
  })

  test('what Docker tells of a container holds nothing of the environment', async () => {
    await using sandbox = await opened('secret')
    const command = await sandbox.spawn(['sh', '-c', 'echo "$TOKEN"; read end'], {
      cwd: work,
      env: { TOKEN: 'planted-7f3a' },
    })
    const [said] = (await once(command.stdout, 'data')) as [Buffer]
    expect(String(said)).toBe('planted-7f3a\n')
    const id = await docker.docker('ps', '--quiet', '--filter', 'label=overnight.run=secret')
    expect(await docker.docker('inspect', id)).not.toContain('planted')
    expect(await docker.docker('logs', id).catch(String)).not.toContain('planted-7f3a\n')
    command.stdin.end('\n')
    await command.exit
    expect(await containers()).toBe('')
  })

  test('a service ends what is of its own data folder', async () => {
    const other = dockerDriver({ folder: join(folder, 'theirs') })
    await using theirs = await opened('same-run', other)
    const command = await theirs.spawn(['sleep', '600'], { cwd: work })
    expect(await dockerDriver().reap(() => true)).toBe(0)
    // Another process of the same service, for which the run is not its own.
    expect(await dockerDriver({ folder: join(folder, 'theirs') }).reap((run) => run === 'same-run')).toBe(1)
    expect(await command.exit).toMatchObject({ code: null, signal: 'SIGKILL' })
    // And what one left that was killed while it tried Docker.
    const id = (await readFile(join(folder, 'theirs', 'id'), 'utf8')).trim()
    const labels = ['--label', `overnight.data=${id}`, '--label', 'overnight.run=probe']
    await docker.docker('run', ...labels, 'overnight-sandbox', 'true')
    expect(await other.reap(() => false)).toBe(1)
  })

  test('folders of the operator are empty in a mount, and volumes of the image are no disk', async () => {
    const secret = join(work, 'data')
    await mkdir(secret, { mode: 0o700 })
    await writeFile(join(secret, 'token'), 'secret')
    const lines = 'VOLUME /srv/cache\nENV PATH=/opt/tools:/usr/local/bin:/usr/bin:/bin\n'
    const image = await build('with-volume', `FROM overnight-sandbox\n${lines}`)
    const inner = join(secret, 'run', 'tree')
    await mkdir(inner, { recursive: true })
    const mounts = [work, inner].map((path) => ({ path, write: true }))
    await using sandbox = await dockerDriver({ image, hidden: [secret] }).open({ run: 'hidden', mounts })
    const script =
      'ls -A data; touch data/x 2>/dev/null || echo refused; touch data/run/tree/x && echo inner; stat -f -c %T /srv/cache; echo "$PATH"'
    expect(await finish(sandbox, ['sh', '-c', script], { cwd: work })).toMatchObject({
      stdout: 'run\nrefused\ninner\ntmpfs\n/opt/tools:/usr/local/bin:/usr/bin:/bin\n',
    })
    expect(await docker.docker('volume', 'ls', '--quiet')).toBe('')
    expect(await readFile(join(secret, 'token'), 'utf8')).toBe('secret')
  })

  test.skipIf(process.getuid?.() !== 0)('a program below a folder that the image keeps to its root', async () => {
    const home = await mkdtemp('/root/overnight-docker-')
    onTestFinished(() => rm(home, { recursive: true, force: true }))
    const program = join(home, 'agent')
    await writeFile(program, '#!/bin/sh\necho at work\n', { mode: 0o755 })
    const mounts = [program, work].map((path) => ({ path, write: path === work }))
    await using sandbox = await driver.open({ run: 'root', mounts })
    expect(await finish(sandbox, ['sh', '-c', `"${program}"; ls -A /root "${home}"`], { cwd: work })).toMatchObject({
      stdout: `at work\n/root:\n${home.split('/').at(-1)}\n\n${home}:\nagent\n`,
    })
  })

  test.skipIf(process.getuid?.() !== 0)(
    'a folder of the operator that containers may not read, under a service of root',
    async () => {
      const own = join(folder, 'private')
      await mkdir(join(own, 'shown'), { mode: 0o700, recursive: true })
      // Also where it lies in the home folder, which nothing shows.
      const opening = dockerDriver({ hidden: [folder] }).open({
        run: 'private',
        mounts: [{ path: join(own, 'shown'), write: false }],
      })
      await expect(opening).rejects.toMatchObject({
        reason: 'no_sandbox',
        message: expect.stringContaining(`may not read ${own}/shown`),
        hint: expect.stringContaining('chmod'),
      })
      expect((await stat(join(own, 'shown'))).uid).toBe(0)
    },
  )

  test('its container, as Docker tells of it: walls, limits, what is shown, and nothing of the environment', async () => {
    const limits = { memoryBytes: 64 * 1024 ** 2, cpus: 0.5, processes: 20 }
    const shown = join(folder, 'shown')
    await mkdir(shown)
    const mounts = [work, shown].map((path) => ({ path, write: path === work }))
    await using sandbox = await driver.open({ run: 'config', mounts, limits })
    const command = await sandbox.spawn(['cat'], { cwd: work, env: { TOKEN: 'planted-9c2e' } })
    const id = await docker.docker('ps', '--quiet', '--filter', 'label=overnight.run=config')
    const told = await docker.docker('inspect', id)
    expect(told).not.toContain('planted')
    const [{ HostConfig, Config, Mounts, State, AppArmorProfile }] = JSON.parse(told) as [Told]
    expect(HostConfig).toMatchObject({
      ReadonlyRootfs: true,
      Privileged: false,
      CapDrop: ['ALL'],
      CapAdd: null,
      SecurityOpt: ['no-new-privileges'],
      NetworkMode: 'none',
      IpcMode: 'private',
      PidMode: '',
      UTSMode: '',
      UsernsMode: 'host',
      CgroupnsMode: expect.stringMatching(/^(private|host)$/) as string,
      Devices: null,
      Binds: null,
      PortBindings: null,
      PublishAllPorts: false,
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      PidsLimit: 20,
      NanoCpus: 500_000_000,
      OomScoreAdj: 500,
      LogConfig: { Type: 'none' },
      RestartPolicy: { Name: expect.stringMatching(/^(no)?$/) as string },
    })
    expect(AppArmorProfile).not.toBe('unconfined')
    expect(Config.User).toMatch(/^[1-9]\d*:[1-9]\d*$/)
    expect(
      Config.Env.filter((entry) => !/^(PATH|TINI_KILL_PROCESS_GROUP|NODE_VERSION|YARN_VERSION)=/.test(entry)),
    ).toEqual([])
    expect(Object.keys(Config.Labels)).toEqual(expect.arrayContaining(['overnight.data', 'overnight.run']))
    const ours = ['/etc/passwd', '/etc/group', '/etc/overnight/forwarder.mjs']
    const wanted = [...ours.map((path) => [path, false]), [work, true], [shown, false]].map(String)
    expect(Mounts.map(({ Destination, RW }) => String([Destination, RW])).toSorted()).toEqual(wanted.toSorted())
    expect(Mounts.map(({ Source }) => Source).filter((path) => path.endsWith('.sock'))).toEqual([])
    // What the kernel says of the process itself: Docker's filter of system calls, and what it may gain.
    const status = await readFile(`/proc/${State.Pid}/status`, 'utf8')
    expect(status).toMatch(/^NoNewPrivs:\t1$/m)
    expect(status).toMatch(/^Seccomp:\t2$/m)
    expect(status).toMatch(/^CapBnd:\t0{16}$/m)
    await command.kill(0)
  })

  test('more memory than it may have: it is said', async () => {
    await using sandbox = await opened('memory')
    const hungry = 'const held = []; for (;;) held.push(Buffer.alloc(16 * 1024 ** 2, 1))'
    expect(await finish(sandbox, ['node', '-e', hungry], { cwd: work })).toMatchObject({ cause: 'out_of_memory' })
    expect(smallLimits.memoryBytes).toBeLessThan(2 ** 30)
    expect(await containers()).toBe('')
  })

  test('an image of another processor', async () => {
    const program = await readFile('/usr/bin/env')
    program.writeUInt16LE(process.arch === 'arm64' ? 62 : 183, 18)
    await writeFile(join(folder, 'ours', 'alien'), program, { mode: 0o755 })
    const image = await build('alien', 'FROM overnight-sandbox\nCOPY alien /usr/bin/env\nCOPY alien /bin/sh\n')
    expect(await dockerDriver({ image }).probe()).toBe(
      `the programs of the image ${image} are for another processor than this machine has`,
    )
  })

  test('an image that is removed between two commands', async () => {
    await docker.docker('tag', 'overnight-sandbox', 'overnight-fleeting')
    const driver = dockerDriver({ image: 'overnight-fleeting' })
    await using sandbox = await opened('fleeting', driver)
    expect(await finish(sandbox, ['true'], { cwd: work })).toMatchObject({ code: 0 })
    await docker.docker('rmi', 'overnight-fleeting')
    const gone = {
      reason: 'no_sandbox',
      message: expect.stringMatching(/the image overnight-fleeting is not there, and nothing is pulled/) as string,
      hint: expect.stringMatching(/docker build --tag overnight-fleeting/) as string,
      retryable: false,
    }
    await expect(sandbox.spawn(['true'], { cwd: work })).rejects.toMatchObject(gone)
    await expect(opened('next', driver)).rejects.toMatchObject(gone)
    await docker.docker('tag', 'overnight-sandbox', 'overnight-fleeting')
  })

  test('a disk of Docker that is full: said, tried again, and nothing is left', async () => {
    await using sandbox = await opened('full')
    const containersFolder = join(docker.data, 'containers')
    await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'none', containersFolder])
    try {
      await expect(sandbox.spawn(['true'], { cwd: work })).rejects.toMatchObject({
        reason: 'no_sandbox',
        message: expect.stringMatching(/the disk of Docker is full: .*no space left on device/) as string,
        hint: expect.stringMatching(/docker system df/) as string,
        retryable: true,
      })
    } finally {
      await promisify(execFile)('umount', [containersFolder])
    }
    expect(await containers()).toBe('')
    expect(await finish(sandbox, ['echo', 'again'], { cwd: work })).toMatchObject({ stdout: 'again\n' })
  })

  test('a daemon that dies and is back: what it had started is lost, is removed, and the next command runs', async () => {
    await using sandbox = await opened('crash')
    const command = await sandbox.spawn(['sleep', '600'], { cwd: work })
    await docker.crash()
    await docker.restart()
    expect(await command.exit).toEqual({ code: null, signal: 'SIGKILL', cause: 'sandbox_lost' })
    expect(await containers()).toBe('')
    expect(await finish(sandbox, ['echo', 'next'], { cwd: work })).toMatchObject({ stdout: 'next\n' })
  })

  test('a daemon that ends takes its commands with it; that is no ending of theirs', async () => {
    await using sandbox = await opened('lost')
    const command = await sandbox.spawn(['sleep', '600'], { cwd: work })
    await docker[Symbol.asyncDispose]()
    expect(await command.exit).toMatchObject({ code: null, cause: 'sandbox_lost' })
    await expect(sandbox.spawn(['true'], { cwd: work })).rejects.toMatchObject({ reason: 'no_sandbox' })
    expect(await driver.probe()).toMatch(/no Docker daemon|is down/)
  })
})
