import { hostName } from '../../host-name.ts'

/** What a run reaches: nothing, every public host, or these and no other. Hosts as they are compared, presets by their name. */
export type Network = 'none' | 'open' | readonly string[]

/**
 * Where package managers fetch from by default, as their own documentation names it: an index and what it leads to. Only what
 * installs; the hosts that packages are published to, and those that serve anybody's files (github.com), are named by a routine itself.
 */
const registries = {
  npm: ['registry.npmjs.org', 'registry.yarnpkg.com'],
  pypi: ['pypi.org', 'files.pythonhosted.org'],
  crates: ['index.crates.io', 'static.crates.io', 'crates.io'],
  go: ['proxy.golang.org', 'sum.golang.org'],
  maven: ['repo.maven.apache.org', 'repo1.maven.org', 'plugins.gradle.org', 'plugins-artifacts.gradle.org'],
  rubygems: ['rubygems.org', 'index.rubygems.org'],
  packagist: ['repo.packagist.org', 'packagist.org'],
  nuget: ['api.nuget.org', 'globalcdn.nuget.org'],
  debian: ['deb.debian.org', 'security.debian.org'],
  ubuntu: ['archive.ubuntu.com', 'security.ubuntu.com', 'ports.ubuntu.com'],
  alpine: ['dl-cdn.alpinelinux.org'],
} as const

/** Names that stand for several hosts. A preset has no dot, a host has one. */
export const presets: Readonly<Record<string, readonly string[]>> = {
  ...registries,
  registries: Object.values(registries).flat(),
}

/** What is wrong with one entry of the list, as a sentence; undefined = nothing. */
export function faultOf(entry: string): string | undefined {
  if (entry === 'none' || entry === 'open') return `${entry} is written alone, not in a list`
  if (Object.hasOwn(presets, entry) || hostName(entry) !== undefined) return undefined
  if (entry.includes('*')) return 'must be exact: every host is written by itself'
  if (entry.includes('://') || entry.includes('/')) return 'must be a host alone, without https:// and path'
  if (/^[^:]+:\d+$/.test(entry)) return 'must be a host without a port: 443 is the only one'
  if (!entry.includes('.'))
    return `must be a host such as api.example.com, or one of ${Object.keys(presets).join(', ')}`
  if (isAddress(entry)) return 'must be the name of a host, such as api.example.com; addresses are not reached'
  if (entry.endsWith('.')) return 'must be without the dot at the end'
  return 'must be the name of a host, such as api.example.com; letters beyond a to z may be written as xn--…'
}

const isAddress = (entry: string) => entry.includes(':') || /\.(?:\d+|0x[\da-f]*)\.?$/i.test(entry)

/** As it is kept: every host in the form it is compared in, each entry once. */
export function networkOf(written: 'none' | 'open' | readonly string[]): Network {
  if (typeof written === 'string') return written
  const entries = new Set(written.map((entry) => hostName(entry) ?? entry))
  return entries.size === 0 ? 'none' : [...entries]
}

/** Every host it comes to. */
export function hostsOf(network: Network): 'open' | ReadonlySet<string> {
  if (network === 'open') return 'open'
  if (network === 'none') return new Set()
  return new Set(network.flatMap((entry) => (Object.hasOwn(presets, entry) ? (presets[entry] ?? []) : [entry])))
}
