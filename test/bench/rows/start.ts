import { spawnSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { startService } from '../../support/service-process.ts'
import { type Bench, mediansOf, timed } from '../row.ts'

export async function start({ place, tell }: Bench): Promise<void> {
  const data = join(place, 'data')
  const routines = join(place, 'routines')
  await mkdir(data)
  await mkdir(routines)
  const service = async () => {
    await using stack = new AsyncDisposableStack()
    return await timed(async () => {
      const started = stack.use(await startService({ data, routines, env: { OVERNIGHT_LOG: 'warn' } }))
      await started.get('/health')
    })
  }
  const empty = await service()
  const { warm, node } = await mediansOf(5, {
    warm: service,
    node: () => timed(async () => spawnSync(process.execPath, ['-e', ''])),
  })
  const beside = [{ what: 'an empty node', figure: node }]
  tell({ what: 'start → first 2xx, empty data folder', unit: 'ms', figure: empty, beside })
  tell({ what: 'start → first 2xx, warm (median of 5)', unit: 'ms', figure: warm, beside })
}
