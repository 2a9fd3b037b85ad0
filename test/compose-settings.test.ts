import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')
const Variables = z.object({ environment: z.record(z.string(), z.coerce.string()) })
const { services } = z
  .object({ services: z.object({ server: Variables, 'worker-1': Variables, 'worker-2': Variables }) })
  .parse(parse(read('docker-compose.yml'), { merge: true }))
const settings = [...read('.env.example').matchAll(/^# ([A-Z]\w*(?:<NAME>\w*)?)=/gm)].map((match) => match[1]!)

/** Why a line of `.env` sets nothing in the containers, or sets it in another way. */
const exceptions: Record<string, string> = {
  OVERNIGHT_DATA: 'a volume',
  OVERNIGHT_ROUTINES: 'names the folder that is mounted',
  OVERNIGHT_WEBHOOKS: 'names the folder that is mounted',
  OVERNIGHT_CONNECTORS: 'names the folder that is mounted',
  OVERNIGHT_HOST: 'in a container every address of it',
  'OVERNIGHT_SECRET_<NAME>_HOSTS': 'names are the operator’s: files of the volume, or the store',
  OVERNIGHT_SANDBOX_IMAGE: 'no daemon is reached from in there',
  DOCKER_HOST: 'no daemon is reached from in there',
  DATABASE_URL: 'the service beside it',
  REDIS_URL: 'the service beside it',
  CLAUDE_CODE_VERSION: 'goes into the image',
  GITHUB_APP_KEY: 'names the file that is mounted',
  POSTGRES_PASSWORD: 'a part of DATABASE_URL',
}

describe('docker-compose.yml hands on what .env sets', () => {
  const environment = { ...services['worker-1'].environment, ...services.server.environment }
  const isHandedOn = (name: string) => environment[name]?.startsWith(`\${${name}:-`) === true

  test.each(settings.filter((name) => exceptions[name] === undefined))('%s', (name) => {
    expect(environment[name]).toMatch(new RegExp(String.raw`^\$\{${name}:-.*\}$`))
  })

  test('and the exceptions are settings that it does not hand on', () => {
    expect(Object.keys(exceptions).filter((name) => !settings.includes(name) || isHandedOn(name))).toEqual([])
  })

  test('workers are alike, and know what the server knows of secrets', () => {
    const { server, 'worker-1': one, 'worker-2': two } = services
    expect(two).toEqual(one)
    for (const name of ['OVERNIGHT_SECRETS_KEY', 'OVERNIGHT_SECRET_COMMAND'])
      expect([server, one].map(({ environment: { [name]: value } }) => value)).toEqual(Array(2).fill(`\${${name}:-}`))
  })
})
