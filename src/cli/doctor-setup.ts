import { keptSetups } from '../service/probes.ts'
import type { Context } from './context.ts'
import type { Finding } from './doctor-service.ts'

/** What results of setup steps take of what they may. Never a fault: all of it can be made again. */
export async function lookAtSetups(context: Context): Promise<Finding> {
  const config = context.config()
  const what = 'results of setup'
  const most = config.setupCacheBytes
  if (most === 0) return { what, ok: true, says: 'none is kept (OVERNIGHT_SETUP_CACHE_MB is 0)' }
  const { count, bytes } = await keptSetups(config)
  return { what, ok: true, says: `${count} kept, ${megabytes(bytes)} of ${megabytes(most)} at ${config.paths.setups}` }
}

const megabytes = (bytes: number) => `${Math.ceil(bytes / 1024 ** 2)} MB`
