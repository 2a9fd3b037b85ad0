import { readFolder } from './check.ts'
import type { Context } from './context.ts'
import type { Finding } from './doctor-service.ts'
import type { Missing } from './missing-secrets.ts'
import { findMissingInConnectors, readConnectorsFolder } from './read-connectors.ts'
import { findMissingSecrets, readSourcesFolder } from './read-sources.ts'

/** Webhook sources, whether their files are good and their secrets there. */
export async function lookAtSources(context: Context): Promise<Finding[]> {
  const { inForce: sources, problems } = await readSourcesFolder(context)
  const missing = await findMissingSecrets(context, sources.values())
  if (sources.size + problems.length === 0) return []
  const says = `${sources.size} in ${context.config().webhooksDir}`
  const wrong = [...(problems.length > 0 ? [`${problems.length} problems`] : []), ...counted(missing, 'are not there')]
  const what = 'webhook sources'
  return [
    { what, ok: wrong.length === 0, says: [says, ...wrong, ...unsure(missing)].join(', '), hint: 'overnight check' },
  ]
}

/** The same of connectors, and whether their secrets may go where they would be sent. */
export async function lookAtConnectors(context: Context): Promise<Finding[]> {
  const { connectorsDir, routinesIn } = context.config()
  const { inForce, problems } = await readConnectorsFolder(context)
  if (inForce.size + problems.length === 0) return []
  const { routines } = routinesIn === undefined ? await readFolder(context) : { routines: [] }
  const missing = await findMissingInConnectors(context, inForce.values(), routines)
  const wrong = [
    ...(problems.length > 0 ? [`${problems.length} problems`] : []),
    ...counted(missing, 'are not there, or go nowhere'),
  ]
  const says = [`${inForce.size} in ${connectorsDir}`, ...wrong, ...unsure(missing)].join(', ')
  return [{ what: 'connectors', ok: wrong.length === 0, says, hint: 'overnight check' }]
}

function counted(missing: readonly Missing[], what: string): string[] {
  const { length } = missing.filter(({ isSure }) => isSure)
  return length === 0 ? [] : [`${length} secrets ${what}`]
}

/** No fault: the next start finds them where they are stored. */
function unsure(missing: readonly Missing[]): string[] {
  const { length } = missing.filter(({ isSure }) => !isSure)
  return length === 0
    ? []
    : [`${length} secrets are not found, and may be stored: no service answers that could say so`]
}
