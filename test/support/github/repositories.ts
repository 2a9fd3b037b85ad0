import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { commitFiles, createRepository, type Files, git, gitEnvironment } from '../git-repository.ts'

/** The bare repositories behind the stand-in: what git says is what the API says. */
export function createRepositories(root: string, journalFile: string) {
  const pathOf = (name: string) => join(root, `${name}.git`)
  const ask = (name: string, ...args: string[]) => git(pathOf(name), ...args)
  const repositories = {
    root,
    pathOf,
    exists: (name: string) => existsSync(pathOf(name)),

    /** A repository with one commit on `main`; without files it is empty. */
    create(name: string, files: Files): void {
      const path = pathOf(name)
      mkdirSync(path, { recursive: true })
      git(path, 'init', '--quiet', '--bare', '--initial-branch=main')
      for (const setting of ['http.receivepack true', 'uploadpack.allowFilter true', 'receive.fsckObjects true']) {
        git(path, 'config', ...setting.split(' '))
      }
      const hook = join(path, 'hooks', 'post-receive')
      mkdirSync(dirname(hook), { recursive: true })
      writeFileSync(hook, journalHook(name, journalFile))
      chmodSync(hook, 0o755)
      if (Object.keys(files).length > 0) repositories.commit(name, 'main', files)
    },

    /** Somebody else commits to a branch; answers the new head. */
    commit(name: string, branch: string, files: Files): string {
      const path = pathOf(name)
      const tree = `${path}.work`
      const from = repositories.headOf(name, branch) ?? repositories.headOf(name, 'main')
      try {
        if (from === undefined) {
          createRepository(tree, files, [`--initial-branch=${branch}`])
        } else {
          git(root, 'clone', '--quiet', path, tree)
          git(tree, 'checkout', '--quiet', '--detach', from)
          commitFiles(tree, files)
        }
        git(tree, 'push', '--quiet', path, `HEAD:refs/heads/${branch}`)
        return git(tree, 'rev-parse', 'HEAD')
      } finally {
        rmSync(tree, { recursive: true, force: true })
      }
    },

    remove: (name: string, branch: string) => ask(name, 'update-ref', '-d', `refs/heads/${branch}`),
    point: (name: string, ref: string, commit: string) => ask(name, 'update-ref', ref, commit),
    move: (name: string, branch: string, commit: string) => ask(name, 'update-ref', `refs/heads/${branch}`, commit),
    rename(from: string, to: string): void {
      mkdirSync(dirname(pathOf(to)), { recursive: true })
      renameSync(pathOf(from), pathOf(to))
    },
    headOf: (name: string, branch: string): string | undefined =>
      repositories.refs(name, `heads/${branch}`).find(({ ref }) => ref === `refs/heads/${branch}`)?.sha,

    /** Every ref whose name begins so, as GitHub matches them: by characters, not by folders. */
    refs(name: string, prefix: string): { ref: string; sha: string }[] {
      const listed = ask(name, 'for-each-ref', '--format=%(refname) %(objectname)')
      const lines = listed.split('\n').filter((line) => line.startsWith(`refs/${prefix}`))
      return lines.map((line) => ({ ref: line.split(' ')[0]!, sha: line.split(' ')[1]! }))
    },
    isCommit(name: string, sha: string): boolean {
      try {
        return /^[0-9a-f]{40}$/.test(sha) && ask(name, 'cat-file', '-t', sha) === 'commit'
      } catch {
        return false
      }
    },
    countBetween: (name: string, base: string, head: string): number =>
      Number(ask(name, 'rev-list', '--count', `${base}..${head}`)),
    changedFiles(name: string, base: string, head: string): { filename: string; status: string }[] {
      const listed = ask(name, 'diff', '--name-status', '--no-renames', `${base}...${head}`)
      const words: Record<string, string> = { A: 'added', M: 'modified', D: 'removed', T: 'changed' }
      return listed
        .split('\n')
        .filter(Boolean)
        .map((line) => ({ filename: line.slice(2), status: words[line[0]!] ?? 'changed' }))
    },
  }
  return repositories
}
export type Repositories = ReturnType<typeof createRepositories>

/** git calls it once for the whole push, after the refs have moved; the names of refs hold no character that JSON escapes. */
function journalHook(name: string, journalFile: string): string {
  const line = `{"kind":"ref","repository":"${name}","ref":"%s","old":"%s","new":"%s","at":"%s"}\\n`
  return `#!/bin/sh
while read -r old new ref; do
  printf '${line}' "$ref" "$old" "$new" "$(date -u +%Y-%m-%dT%H:%M:%S.000Z)" >> '${journalFile.replaceAll("'", String.raw`'\''`)}'
done
`
}

/** Whether git's own HTTP server is installed beside git. */
export function httpBackend(): string {
  return join(
    execFileSync('git', ['--exec-path'], { encoding: 'utf8', env: gitEnvironment }).trim(),
    'git-http-backend',
  )
}
