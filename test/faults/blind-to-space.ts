import fs, { type StatsFs } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

// Preloaded into a service: a disk never looks full, as when another process takes the space in the instant after the look.
const statfsSync = fs.statfsSync
function statfsOfLargeDisk(path: string): StatsFs {
  return Object.assign(statfsSync(path), { bavail: 2 ** 30 })
}
fs.statfsSync = statfsOfLargeDisk as typeof statfsSync
syncBuiltinESMExports()
