import { randomUUID } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCrew, processesCalled, sandboxes, type Crew } from '../support/crew.ts'
import { git, gitEnvironment, writeFiles } from '../support/git-repository.ts'

// What agents do wrong, each with the ending that has its name.
let crew: Crew
beforeAll(async () => {
  crew = await openCrew()
})
afterAll(() => crew[Symbol.asyncDispose]())

/** A title as a routine's name. */
const slug = (title: string) =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')

/** A time to sleep that tells this sleeping process from all others of the machine. */
const uniqueSeconds = () => `8000.${Number.parseInt(randomUUID().slice(0, 8), 16)}`

type Plant = {
  /** A script that makes `act`, the path of a program, run when somebody uses git on the tree. */
  plant: (act: string) => string
  /** A command that falls for it. */
  naive: string
}
const hook = (folder: string, name: string, act: string) =>
  `mkdir -p ${folder}; printf '#!/bin/sh\n${act}\n' > ${folder}/${name}; chmod +x ${folder}/${name}`
const change = 'echo changed > README.md'
const configured = (keys: readonly string[]) => (act: string) =>
  [...keys.map((key) => `git config ${key} '${act}'`), 'git config commit.gpgSign true', change].join('; ')

/** Plants in what is no part of the change: it is published as if they were not there. */
const besides: Record<string, Plant> = {
  'a repository inside': {
    plant: (act) =>
      `mkdir vendor; git init -q vendor; echo x > vendor/x; git -C vendor add x; git -C vendor -c user.name=a -c user.email=a@b commit -qm x; git -C vendor config core.fsmonitor '${act}'`,
    naive: 'git add --all; git status',
  },
  hooks: {
    plant: (act) =>
      ['pre-commit', 'post-checkout', 'post-index-change', 'reference-transaction', 'pre-push']
        .map((name) => hook('.git/hooks', name, act))
        .concat(change)
        .join('; '),
    naive: 'git commit -qam x',
  },
  filters: {
    plant: (act) =>
      `mkdir -p .git/info; echo '* filter=x diff=x merge=x' > .git/info/attributes; ${configured(['filter.x.clean', 'filter.x.smudge', 'filter.x.process', 'diff.x.textconv', 'merge.x.driver'])(act)}`,
    naive: 'git add --all',
  },
  settings: {
    plant: configured([
      'core.pager',
      'core.sshCommand',
      'diff.external',
      'credential.helper',
      'gpg.program',
      'core.fsmonitor',
    ]),
    naive: 'git status',
  },
  alternates: {
    plant: (act) =>
      `git config core.alternateRefsCommand '${act}'; echo "$PWD/../base/.git/objects" > .git/objects/info/alternates; ${change}`,
    naive: 'git init -q ../base; git rev-list --all --alternate-refs',
  },
}
/** Plants that are part of the change: a person sees them first. */
const inside: Record<string, Plant & { path: string }> = {
  attributes: {
    path: '.gitattributes',
    plant: (act) => `echo '* filter=y' > .gitattributes; git config filter.y.clean '${act}'`,
    naive: 'git add --all',
  },
  'tracked hooks': {
    path: '.githooks/pre-commit',
    plant: (act) => `${hook('.githooks', 'pre-commit', act)}; git config core.hooksPath .githooks`,
    naive: 'git -c filter.y.clean= add --all; git commit -qm x',
  },
  'a submodule': {
    path: '.gitmodules',
    plant: (act) =>
      `printf '[submodule "v"]\n\tpath = v\n\turl = https://example.com/v.git\n' > .gitmodules; mkdir v; git config submodule.v.update '!${act}'; git config submodule.v.url "$PWD"`,
    naive:
      'git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),v; git -c protocol.file.allow=always submodule update',
  },
}

/** Programs of which each makes its own file; nothing in their paths needs quoting. */
function openCanaries() {
  const folder = mkdtempSync(join(tmpdir(), 'overnight-canary-'))
  return {
    remove: () => rmSync(folder, { recursive: true, force: true }),
    seen: () => readdirSync(folder).filter((name) => name.endsWith('.seen')),
    act(name: string) {
      const program = join(folder, name.replaceAll(' ', '-'))
      writeFileSync(program, `#!/bin/sh\n: > ${program}.seen\n`, { mode: 0o755 })
      return program
    },
  }
}

describe('what an agent may plant in its tree', () => {
  test.for(Object.entries({ ...besides, ...inside }))(
    '%s: it is alive, and git run there falls for it',
    ([name, { plant, naive }], { onTestFinished }) => {
      const canaries = openCanaries()
      onTestFinished(canaries.remove)
      const tree = crew.repository(`naive/${name}/tree`)
      const script = `${plant(canaries.act(name))}; ${naive} || true`
      execFileSync('sh', ['-c', script], { cwd: tree, env: gitEnvironment, stdio: 'ignore' })
      expect(canaries.seen()).toHaveLength(1)
    },
  )
})

/** Links, because 100,000 files of their own take a slow disk a minute. */
const manyFiles = [
  '100,000 files',
  `node -e "for (const f of 'fg') fs.writeFileSync(f, ''); for (let i = 0; i < 1e5; i++) { if (i % 1000 === 0) fs.mkdirSync('d' + i); fs.linkSync('fg'[i % 2], 'd' + (i - i % 1000) + '/' + i) }"`,
  /^there are too many new files/,
] as const

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
      const script = String.raw`printf 'caf\303\251 \377\376 half \342\202\nred \033[31mred\033[0m \033]0;title\007 nul \000 back\b\r\n'; printf '\360\237' >&2`
      const ended = await run('garbles', { sh: script })
      expect(ended).toMatchObject({ state: 'unchanged' })
      const said = await crew.said(ended.run)
      expect(said).toContain('café \uFFFD\uFFFD half \uFFFD')
      expect(said).toContain('\u001B[31mred')
      const page = await crew.service.fetch(`/runs/${ended.run}`)
      expect(page.status).toBe(200)
      const html = await page.text()
      expect(html).toContain('café')
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
      const ended = await run(slug(name), { sh: script })
      expect(ended).toMatchObject({ state: 'published', files: 1, base: 'main' })
      const repository = crew.place.repository
      const format = '%an <%ae>|%P|%(trailers:key=Overnight-Run,valueonly)'
      const line = git(repository, 'log', '-1', `--format=${format}`, ended.branch!)
      expect(line.trim()).toBe(`Overnight <overnight@localhost>|${git(repository, 'rev-parse', 'main')}|${ended.run}`)
      expect(git(repository, 'show', `${ended.branch}:README.md`)).toBe('changed')
      expect(git(repository, 'tag')).toBe('')
    })

    test('plants beside the change run nowhere outside', async ({ onTestFinished }) => {
      const canaries = openCanaries()
      onTestFinished(canaries.remove)
      const sh = Object.entries(besides).map(([name, { plant }]) => plant(canaries.act(name)))
      const ended = await run('plants-beside', { sh: sh.join('\n') })
      expect(ended).toMatchObject({ state: 'published', files: 2, findings: [] })
      expect(git(crew.place.repository, 'ls-tree', '-r', '--name-only', ended.branch!)).toBe('README.md\nvendor/x')
      expect(canaries.seen()).toEqual([])
    })

    test('plants in the change wait for a person, and run nowhere outside', async ({ onTestFinished }) => {
      const canaries = openCanaries()
      onTestFinished(canaries.remove)
      const sh = Object.entries(inside).map(([name, { plant }]) => plant(canaries.act(name)))
      const ended = await run('plants-inside', { sh: sh.join('\n') })
      expect(ended).toMatchObject({ state: 'needs_approval', reason: 'policy' })
      const paths = ended.findings.filter(({ rule }) => rule === 'hooks').map(({ path }) => path)
      expect(paths).toEqual(
        Object.values(inside)
          .map(({ path }) => path)
          .sort(),
      )
      expect(canaries.seen()).toEqual([])
    })

    test('a submodule that runs a program is no change at all', async () => {
      const sh = `printf '[submodule "v"]\n\tpath = v\n\turl = ext::sh\n\tupdate = !id\n' > .gitmodules`
      const message = expect.stringMatching(/^git refused the change: gitmodules\w+: /)
      expect(await run('acting-submodule', { sh })).toMatchObject({ state: 'failed', reason: 'patch_invalid', message })
    })
  })

  describe.skipIf(skip)('what it makes of files', () => {
    test('what a person has to see first waits for them, each with its reason', async () => {
      const script = `ln -s /etc/passwd secrets; chmod +x README.md; mkdir -p .github/workflows many
        echo 'on: push' > .github/workflows/ci.yml; echo '* @me' > .github/CODEOWNERS; echo obey > CLAUDE.md
        for i in $(seq 101); do echo $i > many/$i; done; head -c 5242880 /dev/urandom > big.bin`
      const ended = await run('oversteps', { sh: script })
      expect(ended).toMatchObject({ state: 'needs_approval', reason: 'policy', files: 107, pullRequest: null })
      expect(ended.findings.map(({ rule, path }) => [rule, path])).toEqual([
        ['files', null],
        ['bytes', null],
        ['owners', '.github/CODEOWNERS'],
        ['workflow', '.github/workflows/ci.yml'],
        ['agent_settings', 'CLAUDE.md'],
        ['mode', 'README.md'],
        ['binary', 'big.bin'],
        ['symlink', 'secrets'],
      ])
      expect(ended.message).toBe(`${ended.findings[0]!.message} (and 7 more)`)
      expect(await (await crew.service.fetch(`/runs/${ended.run}`)).text()).toContain('is a symbolic link')
      expect(git(crew.place.repository, 'branch', '--list', `overnight/oversteps-${sandbox}/*`)).toBe('')
      await crew.service.post(`/v1/runs/${ended.run}/approve`)
      await crew.reaches(ended.run, 'published')
      expect(git(crew.place.repository, 'ls-tree', `overnight/oversteps-${sandbox}/main`, 'secrets')).toMatch(
        /^120000 /,
      )
    })

    test('a pipe, a socket, and folders that nobody may read', async () => {
      const ended = await run('odd', {
        sh: `mkfifo pipe; node -e "require('net').createServer().listen('socket', () => process.exit())"; echo changed > README.md; mkdir empty`,
      })
      expect(ended).toMatchObject({ state: 'published', files: 1 })
    })

    // Counting is the same everywhere, and takes its time; so does packing, of which test/checkout/quarantine.test.ts tells.
    const oneFile = ['one file of 65 MiB', 'head -c 68157440 /dev/zero > big.bin', /^a file is too large/] as const
    test.for(sandbox === 'process' ? [oneFile] : [oneFile, manyFiles])(
      '%s: too large, said so',
      async ([name, script, message]) => {
        const ended = await run(slug(name), { sh: script })
        expect(ended).toMatchObject({
          state: 'failed',
          reason: 'too_large',
          message: expect.stringMatching(message),
          pullRequest: null,
        })
      },
    )
  })

  describe.skipIf(skip)('what it sees', () => {
    test('its prompt, its inputs, and where it is', async () => {
      const ended = await run('looks', {
        sh: 'cat; cat "$OVERNIGHT_PROMPT_FILE" "$OVERNIGHT_INPUTS_FILE"; git status --short --branch; env | cut -d= -f1 | sort | tr "\\n" " "',
      })
      const said = await crew.said(ended.run)
      expect(said).toMatch(/^Do it\.\s*Do it\.\s*\{\}\s*## main\n/)
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

describe.skipIf(sandboxes[1].skip)(`${sandboxes[1].title}: its walls`, () => {
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
    const ended = await crew.run('wanders', {
      sh: `${sh}; rm -rf '${place.folder}/Müllers shop' '${place.folder}/routines' 2>/dev/null; exit 0`,
      more,
    })
    expect(ended).toMatchObject({ state: 'unchanged' })
    // What it writes beside its mounts in /tmp is in a /tmp of its own.
    const wrote = (await crew.said(ended.run)).split('\n').filter((line) => line.startsWith('wrote '))
    expect(wrote.filter((line) => !line.startsWith(`wrote ${place.folder}/`))).toEqual([])
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
    const script = `${places.map((path) => `ls -A '${path}' 2>/dev/null`).join('; ')}; ls -A '${place.data}/work'; cat /proc/*/environ | tr '\\0' '\\n' | grep -a OVERNIGHT_RUN | sort -u; find / -name mine.txt 2>/dev/null; true`
    const ended = await crew.run('snoops', { sh: script, more })
    expect((await crew.said(ended.run)).trim().split('\n')).toEqual([
      'mirrors',
      'work',
      ended.run,
      `OVERNIGHT_RUN=${ended.run}`,
    ])
    await crew.service.post(`/v1/runs/${other}/cancel`)
    expect(await crew.settled(other)).toMatchObject({ state: 'cancelled' })
    await crew.nothingLeft(other)
  })

  test('of a clone that its routine lies in, the routine and the programs it names', async () => {
    const clone = crew.repository('clone', {
      'programs/look.sh': 'cd "$OVERNIGHT_ROUTINE_DIR"; find . -type f | sort; cat .env .git/config 2>&1; true',
    })
    writeFiles(clone, { '.env': 'planted', 'nightly.md': 'not the file in force' })
    const ended = await crew.run('clone/nightly', { command: ['sh', './programs/look.sh'], more })
    expect(ended).toMatchObject({ state: 'unchanged' })
    expect(ended.notes).toContain(
      "the routine's folder holds .env, so no more of it is shown than nightly.md, programs",
    )
    expect(await crew.said(ended.run)).toMatch(
      /^\.\/nightly\.md\n\.\/programs\/look\.sh\n(cat: .*: No such file or directory\n){2}$/,
    )
  })

  test('its /tmp is memory of its own, with a bottom', async () => {
    const ended = await crew.run('fills', {
      sh: 'df -k /tmp | tail -1; fallocate -l 100G /tmp/x && echo more than there is; ls /tmp; echo changed > README.md',
      more,
    })
    const said = await crew.said(ended.run)
    expect(said).toMatch(/^tmpfs\s/)
    // Whichever ends first: the room there, or what one file may be.
    expect(said).toMatch(/No space left on device|File size limit exceeded/)
    expect(said).not.toContain('more than there is')
    expect(ended).toMatchObject({ state: 'published' })
  })
})
