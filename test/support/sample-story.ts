import type { StoryItem } from '../../src/ui/story.ts'
import type { ToolLine } from '../../src/ui/told.ts'
import { before } from './sample-runs.ts'

const say = (at: Date, text: string, stream?: 'stdout' | 'stderr'): StoryItem => ({
  kind: 'output',
  line: { at: at.toISOString(), content: { type: 'text', text }, ...(stream ? { stream } : {}) },
})

export const story: StoryItem[] = [
  say(before(150, 50), 'Reading 41 files under src/ and .github/.\n', 'stdout'),
  say(before(150, 49), 'node 24.21.0 is the current release line; 3 files name an older one.\n', 'stdout'),
  say(before(150, 44), 'warning: .nvmrc and package.json disagree: "22" and ">=20"\n', 'stderr'),
  say(before(150, 44), 'warning: taking package.json as the one that is meant\n', 'stderr'),
  { kind: 'left_out', bytes: 48_213 },
  say(before(149), '.github/workflows/release.yml: node-version 20 → 24\n', 'stdout'),
  say(before(149), '.nvmrc: 22 → 24\n', 'stdout'),
  say(before(148, 58), 'src/retry.ts: AbortSignal.any is there since 20.3, so the helper can go\n', 'stdout'),
  say(before(146), '212 tests passed\n', 'stdout'),
  say(before(146), 'Moved the release workflow to Node 24\n', 'stdout'),
]

const tool = (
  at: Date,
  answeredAt: Date,
  call: { id: string; title: string; kind: ToolLine['kind']; given?: string; result: string; failed?: true },
): StoryItem[] => {
  const texts = (text = '') =>
    text === '' ? [] : [{ type: 'content' as const, content: { type: 'text' as const, text } }]
  const same = { toolCallId: call.id, title: call.title, kind: call.kind }
  const asked: ToolLine = {
    at: at.toISOString(),
    sessionUpdate: 'tool_call',
    status: 'in_progress',
    ...same,
    content: texts(call.given),
  }
  const answer: ToolLine = {
    at: answeredAt.toISOString(),
    sessionUpdate: 'tool_call_update',
    status: call.failed ? 'failed' : 'completed',
    ...same,
    content: texts(call.result),
  }
  return [
    { kind: 'tool', call: asked, answer: undefined },
    { kind: 'tool', call: undefined, answer },
  ]
}

/** What an agent with tools tells. */
export const agentStory: StoryItem[] = [
  { kind: 'thought', text: 'The workflow names Node 20. I should see who else does, before I change one of them.' },
  say(before(150, 50), 'I will look at what names a Node version, then move all of them at once.\n'),
  ...tool(before(150, 49), before(150, 48), {
    id: 'a',
    title: 'Bash rg --line-number "node-version|engines" .github package.json',
    kind: 'execute',
    result: '.github/workflows/release.yml:14: node-version: 20\npackage.json:9: "engines": { "node": ">=20" }\n',
  }),
  ...tool(before(150, 40), before(150, 40), {
    id: 'b',
    title: 'Edit .github/workflows/release.yml',
    kind: 'edit',
    given: '- node-version: 20\n+ node-version: 24\n',
    result: 'The file has been updated.',
  }),
  ...tool(before(149), before(147, 30), {
    id: 'c',
    title: 'Bash npm test',
    kind: 'execute',
    result: 'Exit code 1\nsrc/retry.ts: AbortSignal.any is not a function\n',
    failed: true,
  }),
  say(before(147, 20), 'One test fails on the old helper. It can go: the platform has it now.\n'),
  ...tool(before(147), before(146, 20), {
    id: 'd',
    title: 'Bash npm test',
    kind: 'execute',
    result: '212 tests passed\n',
  }),
  say(
    before(146),
    'Moved the release workflow to Node 24\n\nThree files named an older one; all of them agree now, and the tests pass.\n',
  ),
]
