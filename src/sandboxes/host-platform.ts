import { readFile } from 'node:fs/promises'

/** Of sandboxes that show the programs of this machine. */
export async function hostPlatform(): Promise<string> {
  const system = await readFile('/etc/os-release', 'utf8').catch(() => '')
  return [process.platform, process.arch, process.version, system].join('\n')
}
