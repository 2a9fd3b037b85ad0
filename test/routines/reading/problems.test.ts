import { describe, expect, test } from 'vitest'
import { formatProblem, relativeTo } from '../../../src/routines/format.ts'
import { problemsOf, routineText } from './reading.ts'

/** The first line of the added front matter is line 4 of the file. */
const inFrontMatter: [string, string[]][] = [
  ['reposotory: ./x', ['x.md:4:1: unknown key "reposotory" – did you mean "repository"?']],
  ['zzz: 1', [expect.stringMatching(/^x\.md:4:1: unknown key "zzz" – known here: description, on, repository, base/)]],
  ['limits: { minuts: 3 }', ['x.md:4:11: unknown key "minuts" – did you mean "minutes"?']],
  [
    'on: { schedule: [{ cron: "0 1 * * *" }, { corn: "0 1 * * *" }] }',
    [
      'x.md:4:41: "on.schedule.1.cron" is missing – write cron: …',
      'x.md:4:43: unknown key "corn" – did you mean "cron"?',
    ],
  ],
  [
    'on: { github: { event: push, if: { not: { ref: { eqq: main } } } } }',
    ['x.md:4:50: unknown key "eqq" – did you mean "eq"?'],
  ],
  ['on: github', ['x.md:4:5: "on" cannot be "github" – known here: manual']],
  [
    'on: { schedule: { cron: * * * * * } }',
    ['x.md:4:25: this is read as an alias – write cron in quotes: "* * * * *"'],
  ],
  ['on: { schedule: { cron: 5 } }', ['x.md:4:25: "on.schedule.cron" must be cron in quotes, such as "0 2 * * 1-5"']],
  [
    'on: { schedule: { cron: "0 1 * * *", timezone: Europe/Berln } }',
    ['x.md:4:48: timezone "Europe/Berln" is not known: did you mean Europe/Berlin?'],
  ],
  ['on: { schedule: { cron: "61 1 * * *" } }', [expect.stringMatching(/^x\.md:4:25: cron "61 1 \* \* \*": /)]],
  [
    'on: { schedule: [{ cron: "0 1 * * *" }, { cron: "0  1 * * *" }] }',
    ['x.md:4:41: this schedule is written twice – remove one of them'],
  ],
  [
    'on: { schedule: [{ cron: "0 9 * * *" }, { every: day at 9:00 }] }',
    ['x.md:4:41: this schedule is written twice – remove one of them'],
  ],
  ['on: { schedule: { every: weekday } }', ['x.md:4:26: "weekday" says no time: did you mean "weekday at 09:00"?']],
  ['on: { schedule: { every: 7 } }', ['x.md:4:26: "on.schedule.every" must be text, not 7 – write it in quotes: "7"']],
  [
    'on: { schedule: { every: year on 31 february at 9:00 } }',
    [expect.stringMatching(/^x\.md:4:26: .*no month it names has a day 31/)],
  ],
  [
    'on: { schedule: { at: 2026-02-30T09:00 } }',
    ['x.md:4:23: "2026-02-30T09:00" is not in the calendar: write a date and a time such as 2026-12-01T09:00'],
  ],
  [
    'on: { schedule: { at: 2026-12-01T09:00, timezone: Berlin } }',
    ['x.md:4:51: timezone "Berlin" is not known: did you mean Europe/Berlin?'],
  ],
  [
    'on: { schedule: { cron: "0 1 * * *", every: day } }',
    [expect.stringContaining('does not go with the other keys here')],
  ],
  [
    'checkout: pull_request',
    [
      'x.md:4:11: nothing that fires it is about a pull request – write on: { github: { event: pull_request } }, or take checkout out',
    ],
  ],
  [
    'checkout: pull_request\non: { github: [{ event: pull_request }, { event: push }], api: true, schedule: { every: day at 9:00 } }',
    [
      'x.md:5:7: the event push is about no pull request, which the run is to start from – give that a routine of its own',
      'x.md:5:59: an API call names no pull request, which the run is to start from – give that a routine of its own',
      'x.md:5:70: a schedule names no pull request, which the run is to start from – give that a routine of its own',
    ],
  ],
  [
    'checkout: fork',
    [expect.stringMatching(/^x\.md:4:11: "checkout" cannot be "fork" – known here: base, pull_request/)],
  ],
  ['setup: npm ci', [expect.stringMatching(/^x\.md:4:8: "setup" must be a list, not "npm ci"/)]],
  ['setup: [{ run: "" }]', [expect.stringMatching(/^x\.md:4:16: "setup.0.run" must not be empty/)]],
  ['setup: [{ run: [] }]', [expect.stringMatching(/^x\.md:4:16: "setup.0.run" must have an entry/)]],
  [
    'setup: [{ run: npm ci, keep: node_modules }]',
    ['x.md:4:30: "setup.0.keep" needs when beside it: the files that decide how long it is good'],
  ],
  [
    'setup: [{ run: npm ci, when: package-lock.json }]',
    ['x.md:4:30: "setup.0.when" needs keep beside it: without it the command is run each time'],
  ],
  ...(
    [
      ['/usr/lib', 'must be a path in the checkout, such as node_modules, or in HOME, such as ~/.npm'],
      ['../x', 'must be a plain path, without empty names, . and ..'],
      ['a/../../x', 'must be a plain path, without empty names, . and ..'],
      ['~/../x', 'must be a plain path, without empty names, . and ..'],
      ['~', 'must be a plain path, without empty names, . and ..'],
      ['~/', 'must be a plain path, without empty names, . and ..'],
      ['.', 'must be a plain path, without empty names, . and ..'],
      ['a//b', 'must be a plain path, without empty names, . and ..'],
      ['', 'must be a plain path, without empty names, . and ..'],
      ['a*', 'must be one path, not a pattern'],
      ['a\\nb', 'must be one line of at most 200 characters'],
      ['.git', 'must not be in .git, which is made anew for each run'],
      ['.GIT/hooks', 'must not be in .git, which is made anew for each run'],
    ] as const
  ).map(([path, words]): [string, string[]] => [
    `setup: [{ run: npm ci, when: a, keep: "${path}" }]`,
    [`x.md:4:39: "setup.0.keep" ${words}`],
  ]),
  ['overlap: queue', [expect.stringMatching(/^x\.md:4:10: "overlap" cannot be "queue" – /)]],
  ['overlap: { parallel: 0 }', ['x.md:4:22: "overlap.parallel" must be at least 1']],
  ['debounce: 2m', [expect.stringMatching(/^x\.md:4:11: "debounce" must be a map, not "2m"/)]],
  ['debounce: { max: 2m }', [expect.stringMatching(/^x\.md:4:1: "debounce\.wait" is missing/)]],
  ['pause_after: -1', [expect.stringMatching(/^x\.md:4:14: "pause_after"/)]],
  ['pace: { jitter: ten }', [expect.stringMatching(/^x\.md:4:17: "pace\.jitter" must be a duration/)]],
  ['pace: { max: { runs: 0, per: 1d } }', [expect.stringMatching(/^x\.md:4:22: "pace\.max\.runs"/)]],
  ['pace: { max: { runs: 3 } }', [expect.stringMatching(/"pace\.max\.per" is missing/)]],
  [
    'pace: { not_between: [{ from: "9:00", to: "17:00" }] }',
    [expect.stringMatching(/^x\.md:4:31: "pace\.not_between\[?\.?0\]?\.from" must be a time such as "09:00"/)],
  ],
  [
    'pace: { not_between: [{ from: "09:00", to: "09:00" }] }',
    [expect.stringMatching(/must not be the same time as from/)],
  ],
  [
    'pace: { not_between: [{ from: "09:00", to: "17:00", days: workdays }] }',
    [expect.stringMatching(/must be days such as mon-fri/)],
  ],
  [
    'pace: { not_between: [{ from: "00:00", to: "12:00" }, { from: "12:00", to: "00:00" }] }',
    [expect.stringMatching(/leaves no minute of the week/)],
  ],
  ['debounce: { wait: 2m, max: 1m }', ['x.md:4:28: "debounce.max" must not be shorter than wait']],
  ['concurrency: ""', [expect.stringMatching(/^x\.md:4:14: "concurrency"/)]],
  [
    'concurrency: "{{ evnt.number }}"',
    ['x.md:4:14: "{{ evnt.number }}": nothing is called "evnt" – did you mean "event"?'],
  ],
  ['concurrency: "{{ routine.name }}"', [expect.stringMatching(/^x\.md:4:14: .*nothing is called "routine"/)]],
  ['concurrency: "{{ inputs.scpe }}"', [expect.stringMatching(/^x\.md:4:14: .*declares no inputs/)]],
  ['concurrency: "{{ a b }}"', [expect.stringMatching(/^x\.md:4:14: .*is not a path/)]],
  ['on: { after: { routine: x } }', [expect.stringMatching(/^x\.md:4:25: a routine cannot follow itself – /)]],
  ['on: { after: { routine: a b } }', [expect.stringMatching(/^x\.md:4:25: .*must be the name of a routine/)]],
  ['on: { after: { routine: a, ends: [done] } }', [expect.stringMatching(/^x\.md:4:35: .*cannot be "done"/)]],
  [
    'on: { after: { routine: a } }\ninputs: { scope: { type: string } }',
    [expect.stringContaining('input "scope" has no default, and another routine cannot give it')],
  ],
  ['sandbox: dockr', ['x.md:4:10: "sandbox" cannot be "dockr" – did you mean "docker"?']],
  ['network: opne', ['x.md:4:10: "network" cannot be "opne" – did you mean "open"?']],
  ['limits: { minutes: 0 }', ['x.md:4:20: "limits.minutes" must be more than 0']],
  ['limits: { minutes: 1441 }', ['x.md:4:20: "limits.minutes" must be at most 1440']],
  ['limits: { minutes: .nan }', [expect.stringMatching(/^x\.md:4:20: "limits\.minutes" must be a number/)]],
  ['limits: { minutes: .inf }', [expect.stringMatching(/^x\.md:4:20: "limits\.minutes" must be/)]],
  ['limits: { minutes: 60m }', ['x.md:4:20: "limits.minutes" must be a number, not "60m"']],
  ['limits: { memory: 2G }', ['x.md:4:19: "limits.memory" must be a size such as 512MB or 4GB']],
  ['limits: { disk: 1MB }', ['x.md:4:17: "limits.disk" must be at least 64MB']],
  ['limits: { processes: 2 }', ['x.md:4:22: "limits.processes" must be at least 16']],
  ['limits: { turns: 1.5 }', ['x.md:4:18: "limits.turns" must be a whole number, not 1.5']],
  [
    'limits:',
    [
      'x.md:4:8: "limits" must be a map, not empty – it may be a map (minutes, usd, turns, at_once, memory, cpus, processes, disk)',
    ],
  ],
  [
    'output: { pull_request: { max_size: 65MB } }',
    ['x.md:4:37: "output.pull_request.max_size" must be 64MB or less: more is not kept'],
  ],
  [
    'output: { pull_request: { max_size: 4 MB } }',
    ['x.md:4:37: "output.pull_request.max_size" must be a size such as 512MB or 4GB'],
  ],
  ['output: { pull_request: { max_files: 0 } }', ['x.md:4:38: "output.pull_request.max_files" must be at least 1']],
  [
    'output: { pull_request: { paths: "!docs/**" } }',
    ['x.md:4:34: "output.pull_request.paths" must have an entry without !'],
  ],
  [
    'output: { pull_request: { paths: ./x } }',
    [expect.stringMatching(/must be a path from the root of the repository/)],
  ],
  ['catch_up: { max_age: 90 }', ['x.md:4:22: "catch_up.max_age" must be a duration such as 30m, 6h or 2d']],
  ['catch_up: { max_age: 6 hours }', ['x.md:4:22: "catch_up.max_age" must be a duration such as 30m, 6h or 2d']],
  ['topic: 1.10', ['x.md:4:8: "topic" must be text, not 1.1 – write it in quotes: "1.10"']],
  ['topic: Main', [expect.stringMatching(/^x\.md:4:8: "topic" must be small letters/)]],
  ['topic: pr-7', [expect.stringMatching(/^x\.md:4:8: "topic" must be small letters/)]],
  ['topic: main-2', [expect.stringMatching(/^x\.md:4:8: "topic" must be small letters/)]],
  ['base: "a..b"', ['x.md:4:7: "base" must be the name of a branch']],
  ['base: "--upload-pack=x"', ['x.md:4:7: "base" must be the name of a branch']],
  ['base: "a b"', ['x.md:4:7: "base" must be the name of a branch']],
  ['base: "x.lock"', ['x.md:4:7: "base" must be the name of a branch']],
  ['base: "a@{1}"', ['x.md:4:7: "base" must be the name of a branch']],
  ['inputs: { a-b: {} }', ['x.md:4:11: "a-b" is no name for an input: a letter, then letters, digits and _']],
  ['inputs: { a: { type: numbr } }', ['x.md:4:22: "inputs.a.type" cannot be "numbr" – did you mean "number"?']],
  ['inputs: { a: { type: number, default: x } }', ['x.md:4:39: "inputs.a.default" must fit the type of the input']],
  [
    'inputs: { a: { default: x, required: true } }',
    ['x.md:4:38: "inputs.a.required" must not be true beside a default: the default would never be used'],
  ],
  [
    'inputs: { a: {} }\non: { schedule: { cron: "0 1 * * *" } }',
    ['x.md:4:11: input "a" has no default, and a schedule cannot give it – write a default, or required: false'],
  ],
  [
    'output: { pull_request: { labels: a } }',
    [expect.stringMatching(/^x\.md:4:35: "output\.pull_request\.labels" must be a list, not "a"/)],
  ],
  ['output: { pull_request: { title: "two\\nlines" } }', ['x.md:4:34: "output.pull_request.title" must be one line']],
  ['success: [npm test]', ['x.md:4:11: "success.0" must be a map, not "npm test" – it may be a map (run)']],
  ['connectors: [{ name: a, tool: [b] }]', ['x.md:4:25: unknown key "tool" – did you mean "tools"?']],
  ['engine: ./x', ['x.md:4:1: this key is written twice – keep one of them']],
  ['description: !!str x', [expect.stringMatching(/^x\.md:4:20: the tag "tag:yaml\.org,2002:str" is not allowed/)]],
  [
    'description: !!js/function "x"',
    [expect.stringContaining('the tag "tag:yaml.org,2002:js/function" is not allowed')],
  ],
  ['description: !custom x', [expect.stringContaining('the tag "!custom" is not allowed')]],
  ['__proto__: { polluted: true }', ['x.md:4:1: the key "__proto__" is not allowed – remove it']],
  ['inputs: { constructor: {} }', ['x.md:4:11: the key "constructor" is not allowed – remove it']],
  ['inputs: { "__proto__": {} }', ['x.md:4:11: the key "__proto__" is not allowed – remove it']],
  ['? [a, b]\n: 1', ['x.md:4:3: a key must be plain text']],
  ['description: *nowhere', [expect.stringMatching(/^x\.md:4:14: /)]],
  ['\ttopic: a', ['x.md:4:1: a tab is used to indent – use spaces']],
  ['topic: a\n...\ntopic: b', [expect.stringMatching(/^x\.md:\d:\d+: there is a second document/)]],
  ['description: "never closed', [expect.stringMatching(/^x\.md:/)]],
]

describe('front matter', () => {
  test.each(inFrontMatter)('%s', (frontMatter, expected) => {
    expect(problemsOf(routineText(frontMatter))).toEqual(expected)
  })

  test.each([
    ['engine: claud', 'x.md:3:9: "engine" cannot be "claud" – did you mean "claude"?'],
    [
      'engine: command',
      'x.md:3:9: the engine command needs a command – write engine: { name: command, command: [program, argument] }',
    ],
    ['engine: { name: comand, command: [a] }', 'x.md:3:17: "engine.name" cannot be "comand" – did you mean "command"?'],
    ['engine: { name: command }', 'x.md:3:1: "engine.command" is missing – write command: …'],
    ['engine: { name: command, command: [] }', 'x.md:3:35: "engine.command" must have an entry'],
    [
      'engine: { name: command, command: [sleep, 10] }',
      'x.md:3:43: "engine.command.1" must be text, not 10 – write it in quotes: "10"',
    ],
    ['engine: { name: command, command: ["a\\0b"] }', 'x.md:3:36: "engine.command.0" must not contain a NUL'],
    ['engine: { name: claude, command: [a] }', 'x.md:3:25: "command" does not go with the other keys here – remove it'],
  ])('%s', (engine, expected) => {
    expect(problemsOf(`---\nrepository: ./x\n${engine}\n---\nx`)).toEqual([expected])
  })

  test.each([
    ['repository: 3', 'x.md:2:13: "repository" cannot be 3 – it may be text, a list'],
    ['repository: ""', 'x.md:2:13: "repository" must be a path, owner/name or a URL'],
    ['repository: "a\\nb"', 'x.md:2:13: "repository" must be a path, owner/name or a URL'],
    ['- a', 'x.md:2:1: the front matter must be a map, not a list'],
    ['some text', 'x.md:2:1: the front matter must be a map, not "some text"'],
  ])('%s', (frontMatter, expected) => {
    expect(problemsOf(`---\n${frontMatter}\n---\nx`)).toEqual([expected])
  })

  test('several mistakes are told together, in the order of the file', () => {
    expect(
      problemsOf('---\ntopic: A\nrepositry: ./x\nlimits: { minutes: -1, hours: 3 }\n---\n').map(
        (line) => line.split(': ')[0],
      ),
    ).toEqual(['x.md:2:8', 'x.md:3:1', 'x.md:4:20', 'x.md:4:24'])
  })
})

describe('the file', () => {
  const advice =
    'write repository: with the path of a clone, relative to this file, in front matter between two lines ---'
  test.each([
    [
      'nothing at all',
      '',
      [
        `x.md:1:1: repository is missing – ${advice}`,
        'x.md:1:1: the prompt is missing – write below the second --- what is to be done',
      ],
    ],
    ['a prompt alone', 'Tidy up.', [`x.md:1:1: repository is missing – ${advice}`]],
    [
      'front matter without an end',
      '---\nrepository: ./x\n',
      ['x.md:1:1: the front matter is never closed – write a line --- between it and the prompt'],
    ],
    [
      'front matter that starts late',
      '\n\n---\nrepository: ./x\n---\nx',
      ['x.md:3:1: the front matter starts too late – make --- the very first line'],
    ],
    [
      'no prompt',
      '---\nrepository: ./x\n---\n \n',
      ['x.md:5:1: the prompt is missing – write below the second --- what is to be done'],
    ],
    ['empty front matter', '---\n---\nx', [expect.stringContaining('repository is missing')]],
    ['a NUL', '---\nrepository: ./x\n---\na\0b', ['x.md:4:2: there is a NUL character – save the file as UTF-8 text']],
    ['half a surrogate pair', 'a\ud800b', ['x.md:1:1: the file is not valid Unicode – save it as UTF-8 text']],
    [
      '257 KB',
      'ä'.repeat(131_073),
      ['x.md:1:1: the file is larger than 256 KB – a routine is a prompt: keep data in the repository'],
    ],
    [
      '33 KB of front matter',
      `---\n# ${'x'.repeat(33_000)}\n---\nx`,
      ['x.md:1:1: the front matter is larger than 32 KB – move long texts into the prompt below it'],
    ],
    [
      'CRLF and a mistake',
      '---\r\nrepository: ./x\r\ntopik: a\r\n---\r\nx',
      ['x.md:3:1: unknown key "topik" – did you mean "topic"?'],
    ],
  ])('%s', (_what, text, expected) => {
    expect(problemsOf(text)).toEqual(expected)
  })

  test('a prompt of 256 KB is no problem', () => {
    expect(problemsOf(routineText('', 'x'.repeat(262_000)))).toEqual([])
  })

  test.each(['a', '0', 'nightly-dependencies', 'a'.repeat(63), '1-2'])('may be called %s', (name) => {
    expect(problemsOf(routineText(), `/srv/routines/${name}.md`)).toEqual([])
  })

  test.each(['A', '-a', 'a b', 'a.b', 'ä', 'a_b', '..', '%2e%2e', 'a'.repeat(64), 'a'.repeat(300), 'CON\u0000', ''])(
    'may not be called %j',
    (name) => {
      expect(problemsOf(routineText(), `/srv/routines/${name}.md`)).toEqual([
        expect.stringMatching(/:1:1: .* cannot be the name of a routine/),
      ])
    },
  )
})

describe('the prompt', () => {
  test.each([
    ['{{ inpts.scope }}', ['x.md:6:4: "{{ inpts.scope }}": nothing is called "inpts" – did you mean "inputs"?']],
    ['{{inputs.scop}}', ['x.md:6:4: "{{ inputs.scop }}": inputs has no such value – did you mean "scope"?']],
    ['{{ inputs }}', ['x.md:6:4: "{{ inputs }}": inputs has no such value – known here: scope']],
    ['{{ slot.att }}', ['x.md:6:4: "{{ slot.att }}": slot has no such value – did you mean "at"?']],
    ['{{ routine.name.x }}', [expect.stringContaining('routine has no such value')]],
    ['{{ event.constructor.name }}', [expect.stringContaining('"constructor" is never followed')]],
    ['{{ toString }}', [expect.stringContaining('nothing is called "toString"')]],
    [
      '{{#if x}}',
      ['x.md:6:4: "{{#if x}}" is not a path such as inputs.name – write \\{{ for braces that are meant as text'],
    ],
    [
      '${{ secrets.TOKEN }}',
      [
        'x.md:6:5: "{{ secrets.TOKEN }}": nothing is called "secrets" – known here: inputs, event, events, slot, routine, previous',
      ],
    ],
    [
      '\\{{ anything }} {{ inputs.scope }} {{ slot.at }} {{ routine.name }} {{ event.a.0.b }} {{ previous.state }} {{ not closed',
      [],
    ],
  ])('%s', (mark, expected) => {
    expect(problemsOf(routineText('inputs: { scope: { default: all } }', `As ${mark}`))).toEqual(expected)
  })

  test('is reported at its own line, whatever the line ends', () => {
    const text = routineText('', 'One\n\n  two {{ nope }}')
    expect(problemsOf(text)).toEqual([expect.stringMatching(/^x\.md:8:7: /)])
    expect(problemsOf(text.replaceAll('\n', '\r\n'))).toEqual([expect.stringMatching(/^x\.md:8:7: /)])
  })
})

describe('a problem as a line', () => {
  const problem = {
    file: '/srv/shop/routines/x.md',
    line: 3,
    column: 5,
    message: 'unknown key "a\u001b[31m"',
    hint: 'remove it',
  }

  test('shows control characters instead of sending them', () => {
    expect(formatProblem(problem)).toBe('/srv/shop/routines/x.md:3:5: unknown key "a\\u001b[31m" – remove it')
  })

  test('is relative to a folder where the file is inside it', () => {
    expect(relativeTo('/srv/shop', problem).file).toBe('routines/x.md')
    expect(relativeTo('/home', problem).file).toBe('/srv/shop/routines/x.md')
    expect(relativeTo('/srv', { ...problem, file: 'x.md' }).file).toBe('x.md')
  })
})
