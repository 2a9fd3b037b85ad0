// A process that locks a data folder, forgets the lock, collects garbage, says so and stays.
import { lockDataFolder } from '../../src/ledger/lock.ts'

lockDataFolder(process.argv[2]!)
for (let i = 0; i < 5; i++) globalThis.gc?.()
setImmediate(() => {
  globalThis.gc?.()
  console.log('locked')
})
setInterval(() => {}, 60_000)
