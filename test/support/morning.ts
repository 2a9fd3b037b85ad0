import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { editFrontMatter } from '../../src/routines/reading/edit.ts'
import { commitFiles, createRepository } from './git-repository.ts'
import { startService, untilSettled } from './service-process.ts'

const house = resolve(import.meta.dirname, '../..')

export type Morning = AsyncDisposable & {
  url: string
  /** A run that ended in a pull request. */
  published: string
  signInLink(): Promise<string>
}

/** A real service after a small night: the shipped routines on the sample, one change that needs a person, one failure. */
export async function openMorning(): Promise<Morning> {
  const place = mkdtempSync(join(tmpdir(), 'overnight-morning-'))
  const [repository, routines, data] = ['library', 'routines', 'data'].map((name) => join(place, name)) as [
    string,
    string,
    string,
  ]
  createRepository(repository)
  cpSync(join(house, 'infra/demo/sample'), repository, { recursive: true })
  commitFiles(repository, {}, 'A small library')
  cpSync(join(house, 'routines'), routines, { recursive: true })
  mkdirSync(data)
  const shipped = ['contents-list', 'merge-imports', 'unused-export']
  for (const name of shipped) {
    const file = join(routines, `${name}.md`)
    writeFileSync(file, editFrontMatter(readFileSync(file, 'utf8'), [{ path: ['repository'], value: repository }]))
  }
  const own = (description: string, script: string) =>
    `---\ndescription: ${description}\nrepository: ${JSON.stringify(repository)}\nengine: { name: command, command: [sh, -c, ${JSON.stringify(script)}] }\n---\n`
  writeFileSync(
    join(routines, 'pin-actions.md'),
    own(
      'Actions are pinned',
      'mkdir -p .github/workflows; echo "on: push" > .github/workflows/test.yml; echo Pinned the actions of one workflow',
    ),
  )
  writeFileSync(
    join(routines, 'link-check.md'),
    own('Links lead somewhere', 'echo checking 3 links; echo "docs/old.md is gone" >&2; exit 1'),
  )
  const service = await startService({ data, routines })
  const ended: string[] = []
  for (const name of [...shipped, 'link-check', 'pin-actions']) {
    const { run } = await service.post<{ run: string }>(`/v1/routines/${name}/fire`)
    await untilSettled(service, run)
    ended.push(run)
  }
  return {
    url: service.url,
    published: ended[1]!,
    signInLink: async () => new URL((await service.post<{ path: string }>('/v1/sign-in-links')).path, service.url).href,
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]()
      rmSync(place, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}
