import { connectorPath } from './mcp/connectors.ts'
import { repositoryPath } from './repository.ts'

type Way = {
  /** `127.0.0.1:<port>`, as a command sees it. */
  address: string
  token: string
}

/** What stays inside: a test that asks its own server must not ask a proxy for it. */
const inside = 'localhost,127.0.0.1,::1'

/** Variables that lead the programs of an agent to the proxy, in every spelling that one of them reads. */
export function proxyEnvironment({ address, token }: Way): Record<string, string> {
  const proxy = `http://run:${token}@${address}`
  return {
    HTTPS_PROXY: proxy,
    https_proxy: proxy,
    // So that they hear why http is not let through, instead of an address that is not there.
    HTTP_PROXY: proxy,
    http_proxy: proxy,
    NO_PROXY: inside,
    no_proxy: inside,
    npm_config_proxy: proxy,
    npm_config_https_proxy: proxy,
    npm_config_noproxy: inside,
    YARN_HTTPS_PROXY: proxy,
    YARN_HTTP_PROXY: proxy,
    CARGO_HTTP_PROXY: proxy,
    // fetch of Node reads the others only where this is set.
    NODE_USE_ENV_PROXY: '1',
  }
}

/** `text`: a list of MCP servers in the form that Claude Code, and most others, take it in. It holds the credential of the run. */
export type ConnectorsTold = { names: string[]; text: string }

export function tellConnectors({ address, token }: Way, names: readonly string[]): ConnectorsTold | undefined {
  if (names.length === 0) return undefined
  const headers = { Authorization: `Bearer ${token}` }
  const servers = names.map((name) => {
    const url = `http://${address}${connectorPath(name)}`
    return [name, { type: 'http', url, headers }] as const
  })
  return { names: [...names], text: JSON.stringify({ mcpServers: Object.fromEntries(servers) }) }
}

/**
 * Settings of git that lead from the addresses of the run's repository to the relay, with the credential. In the environment, so that
 * nothing of it stands in the checkout. Addresses that only begin like one of these are led there, too, and answered with what is there.
 */
export function gitEnvironment({ address, token }: Way, urls: readonly string[]): Record<string, string> {
  const base = `http://${address}`
  const settings = [
    [`http.${base}/git/.extraHeader`, `Authorization: Bearer ${token}`],
    ...urls.map((url) => [`url.${base}${repositoryPath}.insteadOf`, url]),
  ]
  const variables = settings.flatMap(([key = '', value = ''], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ])
  return { GIT_CONFIG_COUNT: String(settings.length), ...(Object.fromEntries(variables) as Record<string, string>) }
}
