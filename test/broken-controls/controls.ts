/** A replacement in one file: `from` stands there once, letter by letter. */
type Edit = { file: string; from: string; to: string }

/** A control, how it is broken, and the test that must fail then. */
export type Control = {
  name: string
  edits: readonly Edit[]
  /** The file that is run, and the title of the test as it is written, in it or in a suite that it imports. */
  proof: { file: string; title: string }
}

const edit = (file: string, from: string, to: string): Edit => ({ file: `src/${file}`, from, to })
const proof = (file: string, title: string) => ({ file: `test/${file}`, title })
const bubblewrap = 'sandboxes/bubblewrap/bubblewrap.test.ts'

export const controls: readonly Control[] = [
  {
    name: 'a delivery is answered once it is on disk',
    edits: [
      edit(
        'http/hooks/github.ts',
        'const { id } = await receiver.receive(row)',
        'const id = row.key\n    void receiver.receive(row).catch(() => undefined)',
      ),
    ],
    proof: proof('http/hooks/github.test.ts', 'anything while the ledger is away: to be sent again'),
  },
  {
    name: 'the signature of a webhook is compared',
    edits: [edit('triggers/webhook/verify.ts', 'isSame(one, wanted)', 'one.length === wanted.length')],
    proof: proof(
      'triggers/webhook/verify.test.ts',
      '%s: no byte of the body and no character of a signed header may change',
    ),
  },
  {
    name: 'forks are refused',
    edits: [edit('triggers/github/who-may.ts', 'known.isFork && !allow.forks', 'false')],
    proof: proof('triggers/github/who-may.test.ts', 'whoever sends it, and whatever it is'),
  },
  {
    name: 'who may not write starts nothing',
    edits: [
      edit('triggers/github/who-may.ts', "['admin', 'maintain', 'write']", "['admin', 'maintain', 'write', 'read']"),
    ],
    proof: proof('triggers/github/who-may.test.ts', 'whoever sends it, and whatever it is'),
  },
  {
    name: 'our own acts start nothing',
    edits: [edit('triggers/github/who-may.ts', 'if (known.isOurs)', 'if (known.isOurs && sender === null)')],
    proof: proof('triggers/github/who-may.test.ts', 'ourselves'),
  },
  {
    name: 'the agent configuration of a pull request is the base’s',
    edits: [edit('checkout/pull-copy.ts', 'isLedTo(leads, path) || steersAgents(textOfPath(path))', 'false')],
    proof: proof(
      'checkout/pull-copy.test.ts',
      'whatever would steer an agent is the base’s, and what the base has not is not there',
    ),
  },
  {
    name: 'a pull request brings no more than fits',
    edits: [edit('checkout/fetch-pull.ts', 'mostFileBytes, signal }', 'signal }')],
    proof: proof(
      'checkout/pull-copy.test.ts',
      'a pull request that brings more than is fetched ends there, and nothing of it is left',
    ),
  },
  {
    name: 'hidden characters are taken out of what strangers wrote',
    edits: [edit('routines/prompt/hidden-text.ts', String.raw`\p{Default_Ignorable_Code_Point}|`, String.raw`\u200b|`)],
    proof: proof(
      'routines/prompt/hidden-text.test.ts',
      'no comment and no hidden character is left, and cleaning what is clean changes nothing',
    ),
  },
  {
    name: 'strangers, something private and a way out are not joined',
    edits: [edit('routines/reading/check-trifecta.ts', "...(network === 'open'", "...(network === 'none' && false")],
    proof: proof('routines/reading/check-trifecta.test.ts', 'network: open'),
  },
  {
    name: 'pages of others change nothing here',
    edits: [edit('http/access/auth.ts', "if (crossSite && c.req.method !== 'GET')", 'if (crossSite && false)')],
    proof: proof('http/access/auth.test.ts', 'a form on a foreign page'),
  },
  {
    name: 'walls begin with an empty environment',
    edits: [edit('sandboxes/commands/start.ts', 'env: marked, detached: true', 'env: process.env, detached: true')],
    proof: proof(bubblewrap, 'no secret of the service: environments, arguments, every file that can be read'),
  },
  {
    name: 'walls have a network of their own',
    edits: [edit('sandboxes/bubblewrap/argv.ts', "'--unshare-net', ", '')],
    proof: proof(bubblewrap, 'no network: the loopback of the machine is not its own'),
  },
  {
    name: 'walls have processes of their own',
    edits: [
      edit('sandboxes/bubblewrap/argv.ts', "['--proc', '/proc', '--dev'", "['--ro-bind', '/proc', '/proc', '--dev'"),
    ],
    proof: proof(bubblewrap, 'a process sees its own kind only'),
  },
  {
    name: 'walls keep no keys',
    edits: [edit('sandboxes/bubblewrap/call-filter.ts', '=> [first, first + 1, first + 2]', '=> [first].slice(1)')],
    proof: proof(bubblewrap, 'no key of the session that the service is in, and none that another run left there'),
  },
  {
    name: 'the number of processes is limited',
    edits: [
      edit(
        'sandboxes/cgroups/cgroup.ts',
        'for (const [file, value] of files[version][controller](limits))',
        "for (const [file, value] of controller === 'pids' ? [] : files[version][controller](limits))",
      ),
      edit('sandboxes/bubblewrap/argv.ts', '--nproc=${limits.processes}:${limits.processes}', '--nproc=4096:4096'),
    ],
    proof: proof(bubblewrap, 'processes without end, that nobody waits for'),
  },
  {
    name: 'an agent that fills the disk is ended',
    edits: [
      edit(
        'sandboxes/room.ts',
        '.then(\n    () => {\n      state.isFull = true',
        '.then(\n    () => {\n      if (bytes > 0) return\n      state.isFull = true',
      ),
    ],
    proof: proof('sandboxes/room.test.ts', 'an agent that writes more than there is room for is ended, and it is said'),
  },
  {
    name: 'the relay asks for the credential of the run',
    edits: [
      edit('relay/model.ts', 'if (!bringsToken(headers, token))', 'if (!bringsToken(headers, token) && url === "")'),
    ],
    proof: proof('relay/model.test.ts', 'another token'),
  },
  {
    name: 'the model is asked on its own paths alone',
    edits: [
      edit(
        'relay/model.ts',
        "!inferencePaths.includes(url.split('?')[0] ?? '')",
        '!inferencePaths.some((path) => url.startsWith(path.slice(0, 4)))',
      ),
    ],
    proof: proof('relay/model.test.ts', 'another path'),
  },
  {
    name: 'of a connector the tools that are listed are called, and no others',
    edits: [
      edit('relay/mcp/decide.ts', 'if (mayCall(tool)) return undefined', 'if (mayCall(tool) || tool) return undefined'),
    ],
    proof: proof('relay/mcp/decide.test.ts', 'whatever is sent: no call of another tool goes on'),
  },
  {
    name: 'hosts are compared exactly',
    edits: [edit('relay/egress/authority.ts', 'hosts.has(host)', '[...hosts].some((one) => host.startsWith(one))')],
    proof: proof('relay/egress/egress.test.ts', 'one that begins like it'),
  },
  {
    name: 'the name in the TLS greeting is the name that was asked for',
    edits: [edit('relay/egress/egress.ts', 'greeting.name.toLowerCase() === host ? undefined', 'host ? undefined')],
    proof: proof(
      'relay/egress/egress.test.ts',
      'a greeting for another host, for none, or none at all: nothing of it arrives',
    ),
  },
  {
    name: 'private addresses are not connected to',
    edits: [
      edit('outgoing/dial.ts', 'agent.createConnection({ ...to, lookup: publicLookup })', 'connect({ ...to, lookup })'),
    ],
    proof: proof('relay/egress/egress.test.ts', 'that is at a %s address is refused, also where all is open'),
  },
  {
    name: 'private addresses are refused as they are written',
    edits: [edit('outgoing/address.ts', "  '10.0.0.0/8',\n", '')],
    proof: proof('outgoing/address.test.ts', '10.0.0.0'),
  },
  {
    name: 'a change is collected with a git folder of ours',
    edits: [
      edit('checkout/collect.ts', 'GIT_DIR: gitDir,', 'GIT_DIR: `${tree}/.git`,'),
      edit('checkout/collect-script.ts', 'cp "$GIT_DIR/base-index" "$GIT_DIR/index" ||', 'true ||'),
    ],
    proof: proof('checkout/hostile.test.ts', 'filters by info/attributes'),
  },
  {
    name: 'every object of a patch is checked',
    edits: [edit('checkout/quarantine.ts', "['index-pack', '--strict', '--fix-thin'", "['index-pack', '--fix-thin'")],
    proof: proof('checkout/quarantine.test.ts', '.GiT'),
  },
  {
    name: 'a rename is judged at both its ends',
    edits: [
      edit(
        'checkout/quarantine.ts',
        "['diff-tree', '-r', '-z', '--no-renames', '--no-ext-diff'",
        "['diff-tree', '-r', '-z', '-D', '-M', '--no-ext-diff'",
      ),
    ],
    proof: proof('checkout/quarantine.test.ts', 'counts, sizes, modes and names of every kind'),
  },
  {
    name: 'twins of a protected path are that path',
    edits: [edit('checkout/protected-paths.ts', '    .toUpperCase()\n    .toLowerCase()\n', '')],
    proof: proof('checkout/gate.test.ts', 'Kelvin sign'),
  },
  {
    name: 'known secrets are looked for in what a change adds',
    edits: [edit('checkout/inspection.ts', 'return [...values, ...tokens]', 'return [...tokens]')],
    proof: proof('checkout/inspection.test.ts', 'a secret counts where it is added, and nowhere else'),
  },
  {
    name: 'a text that git shows nothing of waits',
    edits: [edit('checkout/gate.ts', 'if (!binary || ', 'if (!binary || path !== "" || ')],
    proof: proof('checkout/gate.test.ts', '%s, when people are shown nothing of it'),
  },
  {
    name: 'a gate that cannot look says so',
    edits: [edit('checkout/inspection.ts', "add(unread(messageOf(error)), 'unread')", 'void messageOf(error)')],
    proof: proof('checkout/inspection.test.ts', 'git that fails, a diff that is none, a search that throws'),
  },
  {
    name: 'a secret is sent to the hosts of its own source alone',
    edits: [edit('secrets/index.ts', 'if (hosts !== undefined) return hosts', 'if (hosts?.length === 0) return hosts')],
    proof: proof('secrets/sources.test.ts', 'hosts count for the value they came with, or for the operator’s own'),
  },
  {
    name: 'what the gate finds waits for a person',
    edits: [
      edit(
        'runs/publish-patch.ts',
        'if (patch.findings.length > 0 && run.approvedBy === null)',
        'if (patch.findings.length > 50 && run.approvedBy === null)',
      ),
    ],
    proof: proof('journey/secrets.test.ts', 'is in no transcript, title, message or log, though it is told in pieces'),
  },
  {
    name: 'what an agent tells is redacted before it is written',
    edits: [
      edit(
        'runs/listen.ts',
        'redactEvents(events, task.tools.redaction)',
        'events ?? redactEvents(events, task.tools.redaction)',
      ),
    ],
    proof: proof('journey/secrets.test.ts', 'is in no transcript, title, message or log, though it is told in pieces'),
  },
  {
    name: 'keys are redacted as texts are',
    edits: [edit('secrets/redaction.ts', 'keyOf(key, text(key))', 'keyOf(key, key)')],
    proof: proof('secrets/redaction.test.ts', 'keys are redacted, too, and no two of them become one'),
  },
  {
    name: 'Markdown of an agent mentions nobody',
    edits: [edit('publish/neutralise.ts', '.replaceAll(/@(?=\\S)/g, `@${gap}`)', '')],
    proof: proof('publish/message.test.ts', '@ada please look'),
  },
  {
    name: 'every write of a worker names its fence',
    edits: [edit('ledger/held-run.ts', 'eq(runs.fence, held.fence), ', '')],
    proof: proof('ledger/statements.test.ts', 'refuses every write of its worker, and none of them left a trace'),
  },
  {
    name: 'a kept result of setup writes nothing else',
    edits: [edit('checkout/setup/inspect.ts', 'if (outside(name)) return', "if (name === '') return")],
    proof: proof('checkout/setup/kept.test.ts', 'an entry that writes elsewhere (%s) is not used, and is gone'),
  },
  {
    name: 'a kept result of setup is whole',
    edits: [
      edit(
        'checkout/setup/results.ts',
        'return hash.digest().equals(await readAt(file)(bytes, hashBytes))',
        'return hash.digest().length === hashBytes',
      ),
    ],
    proof: proof('checkout/setup/results.test.ts', 'one that %s is broken, and gone'),
  },
  {
    name: 'what strangers propose keeps no result of setup',
    edits: [edit('runs/setup-acts.ts', 'return trusted ? setups', 'return sandbox ? setups')],
    proof: proof(
      'runs/set-up.test.ts',
      'what strangers propose may use what is kept, by its own files, and keeps nothing',
    ),
  },
]
