import { execFile } from 'node:child_process'
import { open, realpath, stat } from 'node:fs/promises'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf, StepFailed } from '../errors.ts'

export type ClaudeProgram = { path: string; version: string }

/** The oldest that was tested: what keeps an untrusted repository's settings out is younger than most. */
const oldestVersion = '2.1.328'
const hint =
  'install it (npm install --global @anthropic-ai/claude-code) where the service finds it in its PATH – for containers set CLAUDE_CODE_VERSION and build them again – or write engine: { name: command, command: [...] }'
const magic = { elf: 0x7f454c46, machO: 0xcffaedfe }
const versionMs = 10_000

/**
 * The operator's own Claude Code, as the one file that a sandbox has to show: links are followed, and a script that only starts
 * the native program is left out. Throws StepFailed('no_agent').
 */
export async function findClaude(path: string): Promise<ClaudeProgram> {
  for (const folder of path.split(delimiter).filter(isAbsolute)) {
    const found = await realpath(join(folder, 'claude')).catch(() => undefined)
    if (found === undefined || !(await isProgram(found))) continue
    return checkVersion(await nativeOf(found))
  }
  throw new StepFailed('no_agent', 'Claude Code (`claude`) is not installed', { hint })
}

async function isProgram(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && found.isFile() && (found.mode & 0o111) !== 0
}

async function nativeOf(found: string): Promise<string> {
  if (await isNative(found)) return found
  const { platform, arch } = process
  for (let folder = dirname(found); folder !== dirname(folder); folder = dirname(folder)) {
    for (const libc of ['', '-musl']) {
      const near = join(folder, `node_modules/@anthropic-ai/claude-code-${platform}-${arch}${libc}/claude`)
      if ((await isProgram(near)) && (await isNative(near))) return realpath(near)
    }
  }
  throw new StepFailed('no_agent', `${found} is a script, and no native Claude Code is installed beside it`, { hint })
}

async function isNative(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
    return bytesRead === 4 && Object.values(magic).includes(buffer.readUInt32BE())
  } finally {
    await file.close()
  }
}

async function checkVersion(path: string): Promise<ClaudeProgram> {
  const env = { PATH: '/usr/bin:/bin', HOME: '/nonexistent', DISABLE_AUTOUPDATER: '1' }
  const options = { env, timeout: versionMs, killSignal: 'SIGKILL' } as const
  const said = await promisify(execFile)(path, ['--version'], options).then(
    ({ stdout }) => stdout,
    (cause: unknown) => {
      throw new StepFailed('no_agent', `${path} --version failed: ${messageOf(cause).slice(0, 300)}`, { hint, cause })
    },
  )
  const version = /^(\d+\.\d+\.\d+)/.exec(said.trim())?.[1]
  if (version === undefined)
    throw new StepFailed('no_agent', `${path} is not Claude Code: it says ${JSON.stringify(said.slice(0, 100))}`, {
      hint,
    })
  if (!isAtLeast(version, oldestVersion)) {
    throw new StepFailed('no_agent', `Claude Code ${version} at ${path} is too old`, {
      hint: `install ${oldestVersion} or newer: npm install --global @anthropic-ai/claude-code; for containers set CLAUDE_CODE_VERSION and build them again`,
    })
  }
  return { path, version }
}

export function isAtLeast(version: string, oldest: string): boolean {
  const parts = oldest.split('.').map(Number)
  const given = version.split('.').map(Number)
  const first = parts.findIndex((part, index) => part !== given[index])
  return first === -1 || (given[first] ?? 0) > (parts[first] ?? 0)
}
