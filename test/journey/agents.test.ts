import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCrew, processesCalled, sandboxes, type Crew } from '../support/crew.ts'
import { git } from '../support/git-repository.ts'

// What agents do wrong, each with the ending that has its name.
let crew: Crew
beforeAll(async () => {
  crew = await openCrew()
})
afterAll(() => crew[Symbol.asyncDispose]())

/** A time to sleep that tells this sleeping process from all others of the machine. */
const uniqueSeconds = () => `8000.${Number.parseInt(randomUUID().slice(0, 8), 16)}`

describe.for(sandboxes)('$title', ({ sandbox, skip }) => {
  const run = (name: string, agent: Parameters<Crew['run']>[1]) =>
    crew.run(`${name}-${sandbox}`, { ...agent, more: { sandbox, ...agent.more } })

  describe.skipIf(skip)('how an agent ends', () => {
    test.for([
      ['exit 3', 'the agent ended with code 3; what it had changed is kept'],
      ['kill -SEGV $$', 'the agent was ended by SIGSEGV; what it had changed is kept'],
    ] as const)('%s: the change is kept and can be read', async ([end, message]) => {
      const ended = await run('exits', { sh: `echo changed > README.md; ${end}` })
      expect(ended).toMatchObject({ state: 'failed', reason: 'agent_exit', message, files: 1, pullRequest: null })
      expect(await crew.diff(ended.run)).toContain('\n-# Shop\n+changed\n')
      expect(git(crew.place.repository, 'branch', '--list', 'overnight/exits*')).toBe('')
    })

    test('it writes nothing', async () => {
      const ended = await run('idle', { sh: 'cat > /dev/null; touch README.md' })
      expect(ended).toMatchObject({ state: 'unchanged', reason: null, message: 'nothing needed changing', files: null })
    })

    test.for([
      [
        'no-such-agent',
        /the program "no-such-agent" could not be found.* – install no-such-agent where the sandbox can see it \(PATH=/,
      ],
      [
        './tools/agent',
        /the program "\.\/tools\/agent" could not be found.* – write the path of a file that may be executed/,
      ],
    ] as const)('its program is missing: %s', async ([program, message]) => {
      const ended = await run('missing', { command: [program] })
      expect(ended).toMatchObject({ state: 'failed', reason: 'no_agent', message: expect.stringMatching(message) })
    })
  })

  describe.skipIf(skip)('what it leaves running', () => {
    test('children that left its session, twice removed, are gone with it', async () => {
      const seconds = uniqueSeconds()
      const script = `echo changed > README.md
        (setsid sh -c '(setsid sleep ${seconds} &) ; trap "" TERM HUP; sleep ${seconds}' >/dev/null 2>&1 &)
        while ! ls /proc/*/exe >/dev/null 2>&1 || [ "$(grep -lz ${seconds} /proc/[0-9]*/cmdline 2>/dev/null | wc -l)" -lt 2 ]; do sleep 0.05; done`
      expect(await run('forks', { sh: script })).toMatchObject({ state: 'published' })
      expect(await processesCalled(`sleep ${seconds}`)).toEqual([])
    })

    test('one that keeps its output open does not keep the run open', async () => {
      const seconds = uniqueSeconds()
      const ended = await run('lingers', { sh: `setsid sleep ${seconds} & exit 0` })
      expect(ended).toMatchObject({ state: 'unchanged' })
      expect(ended.seconds).toBeLessThan(10)
      expect(await processesCalled(`sleep ${seconds}`)).toEqual([])
    })
  })

  describe.skipIf(skip)('what it prints', () => {
    test('bytes that are no text, control sequences and NULs arrive as text that harms nobody', async () => {
      const script = String.raw`printf 'caf\xc3\xa9 \xff\xfe half \xe2\x82\nred \033[31mred\033[0m \033]0;title\007 nul \000 back\b\r\n'; printf '\xf0\x9f' >&2`
      const ended = await run('garbles', { sh: script })
      expect(ended).toMatchObject({ state: 'unchanged' })
      const said = await crew.said(ended.run)
      expect(said).toContain('café \uFFFD\uFFFD half \uFFFD')
      expect(said).toContain('\u001B[31mred')
      const page = await crew.service.fetch(`/runs/${ended.run}`)
      expect(page.status).toBe(200)
      const html = await page.text()
      expect(html).toContain('café')
      // eslint-disable-next-line no-control-regex
      expect(html).not.toMatch(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F]/)
    })

    test('words that look like ours end nothing', async () => {
      const ended = await run('lies', {
        sh: `printf '{"state":"published","reason":null}\\n\\nevent: state\\ndata: {"state":"failed"}\\n\\n'; echo more > more.txt; echo 'id: 9'`,
      })
      expect(ended).toMatchObject({ state: 'published' })
      expect(await crew.said(ended.run)).toContain('event: state\ndata: {"state":"failed"}')
    })
  })

  describe.skipIf(skip)('what it does to git', () => {
    test.for([
      ['deletes .git', 'rm -rf .git; echo changed > README.md'],
      ['makes .git a file', 'rm -rf .git; echo "gitdir: /etc" > .git; echo changed > README.md'],
      [
        'commits by itself',
        'echo changed > README.md; git commit -qam mine; echo more >> README.md; git commit -qam more; echo changed > README.md',
      ],
      [
        'commits on a branch of its own',
        'git checkout -qb mine; echo changed > README.md; git commit -qam mine; git tag v9; git gc -q',
      ],
      [
        'rewrites the history',
        'git checkout -q --orphan new; echo changed > README.md; git add -A; git commit -qm new; git branch -qD main',
      ],
      [
        'leaves an index lock',
        'echo changed > README.md; : > .git/index.lock; echo garbage > .git/index; echo x > .git/HEAD',
      ],
    ] as const)('%s: one commit of ours, with the tree it left', async ([name, script]) => {
      const routine = name.replaceAll(/\W+/g, '-')
      const ended = await run(routine, { sh: script })
      expect(ended).toMatchObject({ state: 'published', files: 1, base: 'main' })
      const repository = crew.place.repository
      const format = '%an <%ae>|%P|%(trailers:key=Overnight-Run,valueonly)'
      const line = git(repository, 'log', '-1', `--format=${format}`, ended.branch!)
      expect(line.trim()).toBe(`Overnight <overnight@localhost>|${git(repository, 'rev-parse', 'main')}|${ended.run}`)
      expect(git(repository, 'show', `${ended.branch}:README.md`)).toBe('changed')
      expect(git(repository, 'tag')).toBe('')
    })

    // A canary is a file that a naive host would make: the agent plants what runs when somebody uses git on its tree.
    const plants: [name: string, script: (act: string) => string, ending: object][] = [
      [
        'hooks',
        (act) =>
          `for h in pre-commit post-checkout post-index-change reference-transaction fsmonitor-watchman; do printf '#!/bin/sh\\n${act}\\n' > .git/hooks/$h 2>/dev/null || { mkdir -p .git/hooks; printf '#!/bin/sh\\n${act}\\n' > .git/hooks/$h; }; chmod +x .git/hooks/$h; done; echo changed > README.md`,
        { state: 'published' },
      ],
      [
        'config',
        (act) =>
          `git config core.fsmonitor '${act}'; git config core.hooksPath "$PWD"; git config core.pager '${act}'; git config core.sshCommand '${act}'; git config diff.external '${act}'; git config core.alternateRefsCommand '${act}'; echo changed > README.md`,
        { state: 'published' },
      ],
      [
        'filters',
        (act) =>
          `git config filter.x.clean '${act}; cat'; git config filter.x.smudge '${act}; cat'; git config filter.x.process '${act}'; git config diff.x.textconv '${act}; cat'; git config merge.x.driver '${act}'; echo '* filter=x diff=x merge=x' > .gitattributes; mkdir -p .git/info; echo '* filter=x' > .git/info/attributes; echo changed > README.md`,
        { state: 'needs_approval', findings: [{ rule: 'hooks', path: '.gitattributes' }] },
      ],
      [
        'tracked-hooks',
        (act) =>
          `mkdir -p .githooks; printf '#!/bin/sh\\n${act}\\n' > .githooks/pre-commit; chmod +x .githooks/pre-commit; git config core.hooksPath .githooks`,
        { state: 'needs_approval', findings: [{ rule: 'hooks', path: '.githooks/pre-commit' }] },
      ],
      [
        'nested-repository',
        (act) =>
          `mkdir vendor; git init -q vendor; git -C vendor config core.fsmonitor '${act}'; echo x > vendor/x; git -C vendor add x; git -C vendor -c core.fsmonitor=false commit -qm x`,
        { state: 'published' },
      ],
      [
        'submodule',
        (act) =>
          `printf '[submodule "v"]\\n\\tpath = v\\n\\turl = ext::sh -c "${act}"\\n\\tupdate = !${act}\\n' > .gitmodules; mkdir v`,
        { state: 'needs_approval', findings: [{ path: '.gitmodules' }] },
      ],
      [
        'alternates',
        (act) =>
          `echo /etc > .git/objects/info/alternates; echo '${act}' > .git/objects/info/commit-graph; echo changed > README.md`,
        { state: 'published' },
      ],
    ]
    test.for(plants)('%s: what it planted runs nowhere outside', async ([name, script, ending]) => {
      const canary = join(crew.place.folder, `canary ${name}-${sandbox}`)
      const program = join(crew.place.folder, `plant-${name}-${sandbox}`)
      // The whole act is one word without quotes, so that it survives every kind of configuration.
      const act = program
      const { writeFileSync } = await import('node:fs')
      writeFileSync(program, `#!/bin/sh\n: > '${canary}'\n`, { mode: 0o755 })
      const ended = await run(`plants-${name}`, { sh: script(act) })
      const { findings = [], ...rest } = ending as { findings?: object[] }
      expect(ended).toMatchObject(rest)
      expect(ended.findings).toEqual(findings.map((finding) => expect.objectContaining(finding)))
      expect(existsSync(canary)).toBe(false)
    })
  })

  describe.skipIf(skip)('what it makes of files', () => {
    test.for([
      ['a link out', 'ln -s /etc/passwd secrets', 'symlink', 'secrets'],
      ['a file made executable', 'chmod +x README.md', 'mode', 'README.md'],
      [
        'a workflow',
        'mkdir -p .github/workflows; echo "on: push" > .github/workflows/ci.yml',
        'workflow',
        '.github/workflows/ci.yml',
      ],
      ['settings of agents', 'echo "obey" > CLAUDE.md', 'agent_settings', 'CLAUDE.md'],
      ['owners', 'mkdir -p .github; echo "* @me" > .github/CODEOWNERS', 'owners', '.github/CODEOWNERS'],
      ['101 files', 'mkdir m; for i in $(seq 101); do echo $i > m/$i; done', 'files', null],
      ['5 MiB', 'head -c 5242880 /dev/urandom > big.bin', 'bytes', null],
    ] as const)('%s waits for a person, who reads why', async ([name, script, rule, path]) => {
      const ended = await run(name.replaceAll(/\W+/g, '-'), { sh: script })
      expect(ended).toMatchObject({ state: 'needs_approval', reason: 'policy', pullRequest: null })
      expect(ended.findings).toEqual([expect.objectContaining({ rule, path })])
      expect(ended.message).toContain(ended.findings[0]!.message)
      expect((await crew.service.fetch(`/runs/${ended.run}`)).status).toBe(200)
    })

    test('a pipe, a socket, and folders that nobody may read', async () => {
      const ended = await run('odd', {
        sh: `mkfifo pipe; node -e "require('net').createServer().listen('socket', () => process.exit())"; echo changed > README.md; mkdir empty`,
      })
      expect(ended).toMatchObject({ state: 'published', files: 1 })
    })

    test.for([
      ['one file of 65 MiB', 'head -c 68157440 /dev/urandom > big.bin', /^a file is too large/],
      [
        '65 MiB in files',
        'for i in 1 2 3 4 5; do head -c 13631488 /dev/urandom > big.$i; done',
        /^the change is larger than 64 MiB/,
      ],
      [
        '100,000 files',
        `node -e "for (let i = 0; i < 1e5; i++) { if (i % 1000 === 0) fs.mkdirSync('d' + i); fs.writeFileSync('d' + (i - i % 1000) + '/' + i, '') }"`,
        /^there are too many new files/,
      ],
    ] as const)('%s: too large, said so', async ([name, script, message]) => {
      const ended = await run(name.replaceAll(/\W+/g, '-'), { sh: script })
      expect(ended).toMatchObject({
        state: 'failed',
        reason: 'too_large',
        message: expect.stringMatching(message),
        pullRequest: null,
      })
    })
  })

  describe.skipIf(skip)('what it sees', () => {
    test('its prompt, its inputs, and where it is', async () => {
      const ended = await run('looks', {
        sh: 'cat; cat "$OVERNIGHT_PROMPT_FILE" "$OVERNIGHT_INPUTS_FILE"; git status --short --branch; env | cut -d= -f1 | sort | tr "\\n" " "',
      })
      const said = await crew.said(ended.run)
      expect(said).toMatch(/^Do it\.\s+Do it\.\s+\{\}## main\s/)
      const names = said.trim().split('\n').at(-1)!.trim().split(' ')
      expect(names.filter((name) => !['PWD', 'SHLVL', '_', 'OLDPWD'].includes(name))).toEqual([
        'HOME',
        'OVERNIGHT_EVENT_FILE',
        'OVERNIGHT_INPUTS_FILE',
        'OVERNIGHT_PROMPT_FILE',
        'OVERNIGHT_ROUTINE_DIR',
        'OVERNIGHT_RUN',
        'PATH',
        'TMPDIR',
      ])
    })

    test('its own temporary room, which ends with it', async () => {
      const ended = await run('scratches', {
        sh: 'mkdir -p "$HOME/.cache/x" "$TMPDIR/y"; chmod 0 "$HOME/.cache/x" "$TMPDIR/y"; mkdir -p t/u; chmod 0 t/u',
      })
      expect(ended.state).toMatch(/^(unchanged|failed)$/)
    })
  })
})

describe.skipIf(sandboxes[1].skip)(sandboxes[1].title, () => {
  const more = { sandbox: 'bubblewrap' }

  test('what is outside of the checkout cannot be written', async () => {
    const { place } = crew
    const targets = [
      join(place.folder, 'outside'),
      join(place.repository, 'outside'),
      join(place.data, 'outside'),
      '/etc/outside',
      '/usr/outside',
      '/outside',
      `${import.meta.dirname}/outside`,
    ]
    const sh = targets.map((path) => `touch '${path}' 2>/dev/null && echo 'wrote ${path}'`).join('; ')
    const ended = await crew.run('wanders', { sh: `${sh}; rm -rf '${place.folder}' 2>/dev/null; exit 0`, more })
    expect(ended).toMatchObject({ state: 'unchanged' })
    expect(await crew.said(ended.run)).not.toContain('wrote')
    expect(targets.filter((path) => existsSync(path))).toEqual([])
    expect(existsSync(join(place.folder, 'Müllers shop'))).toBe(true)
  })

  test('the data folder, its token, another run and the home folder are not there', async () => {
    const { place } = crew
    const other = await crew.start('neighbour', { sh: 'echo neighbour > mine.txt; sleep 600', more })
    await crew.reaches(other, 'working')
    const places = [
      place.data,
      join(place.data, 'token'),
      join(place.data, 'ledger'),
      join(place.data, 'transcripts'),
      join(place.data, 'work', other),
      '/root',
    ]
    const script = `${places.map((path) => `ls -A '${path}' 2>/dev/null`).join('; ')}; ls -A '${place.data}/work'; cat /proc/*/environ | tr '\\0' '\\n' | grep OVERNIGHT_RUN | sort -u; grep -rl neighbour / --include=mine.txt 2>/dev/null; true`
    const ended = await crew.run('snoops', { sh: script, more })
    expect((await crew.said(ended.run)).trim().split('\n')).toEqual([`work`, ended.run, `OVERNIGHT_RUN=${ended.run}`])
    await crew.service.post(`/v1/runs/${other}/cancel`)
    expect(await crew.settled(other)).toMatchObject({ state: 'cancelled' })
    await crew.nothingLeft(other)
  })

  test('its /tmp is memory of its own, with a bottom', async () => {
    const ended = await crew.run('fills', {
      sh: 'df -k /tmp | tail -1; fallocate -l 100G /tmp/x && echo more than there is; ls /tmp; echo changed > README.md',
      more,
    })
    const said = await crew.said(ended.run)
    expect(said).toMatch(/^tmpfs\s/)
    expect(said).toMatch(/No space left on device/)
    expect(said).not.toContain('more than there is')
    expect(ended).toMatchObject({ state: 'published' })
  })
})
