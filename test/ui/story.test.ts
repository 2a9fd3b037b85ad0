import { expect, test } from 'vitest'
import type { TranscriptLine } from '../../src/runs/transcript.ts'
import { storyItem, storySection } from '../../src/ui/story.ts'
import { joined, storyItemOf, type StoryItem } from '../../src/ui/told.ts'
import { nasty } from '../support/nasty.ts'
import { clock } from '../support/sample-runs.ts'
import { agentStory } from '../support/sample-story.ts'

const at = (second: number) => new Date(Date.UTC(2026, 10, 20, 2, 0, second)).toISOString()
const texts = (text: string) => [{ type: 'content' as const, content: { type: 'text' as const, text } }]
const call = (id: string, given = ''): TranscriptLine => ({
  at: at(0),
  sessionUpdate: 'tool_call',
  status: 'in_progress',
  toolCallId: id,
  title: 'Bash npm test',
  kind: 'execute',
  content: given === '' ? [] : texts(given),
})
const answer = (id: string, result: string, status: 'completed' | 'failed' = 'completed'): TranscriptLine => ({
  at: at(3),
  sessionUpdate: 'tool_call_update',
  status,
  toolCallId: id,
  title: 'Bash npm test',
  kind: 'execute',
  content: texts(result),
})
const items = (...lines: TranscriptLine[]): StoryItem[] => lines.flatMap((line) => storyItemOf(line) ?? [])
const drawn = (...lines: TranscriptLine[]) =>
  joined(items(...lines)).map((item) => String(storyItem(item, { clock })).replaceAll(/\s+/g, ' '))

test('an answer stands with its call, whatever was told in between; each has its line, its result and its time', () => {
  const said: TranscriptLine = {
    at: at(1),
    sessionUpdate: 'agent_message_chunk',
    content: { type: 'text', text: 'Hm.\n' },
  }
  const lines = drawn(
    call('a'),
    said,
    call('b'),
    answer('b', 'no\nwhy\n', 'failed'),
    answer('a', '1 failed\n212 passed\n'),
  )
  expect(lines).toHaveLength(3)
  expect(lines[0]).toMatch(
    /<details class="tool" id="tool-a">.*✓.*Bash npm test.*212 passed.*3 s<\/span>\s*<\/summary>.*1 failed/,
  )
  expect(lines[2]).toMatch(/id="tool-b">.*!.*<b>failed<\/b> <span class="result">no<\/span>/)
})

test('one that is at work has no result yet, and an answer whose call is out of sight stands alone', () => {
  expect(drawn(call('a'))[0]).toMatch(/^<p class="tool" id="tool-a">.*●.*Bash npm test/)
  expect(drawn(answer('x', 'done'))[0]).toMatch(/✓.*Bash npm test.*done/)
  expect(drawn(answer('x', 'done'))[0]).not.toContain('took')
})

test('thoughts are folded; the bill is not part of the story', () => {
  const bill: TranscriptLine = { at: at(0), sessionUpdate: 'usage_update', cost: { amount: 1, currency: 'USD' } }
  const thought: TranscriptLine = {
    at: at(0),
    sessionUpdate: 'agent_thought_chunk',
    content: { type: 'text', text: 'Why?\n' },
  }
  expect(drawn(bill, thought)).toEqual([
    expect.stringMatching(/^<details class="thought"> ?<summary>Thinking<\/summary> ?<p>Why\?<\/p>/),
  ])
})

test('a whole story reads in its order', () => {
  const page = String(storySection(agentStory, { clock, ended: true }))
  const order = [
    'Thinking',
    'I will look at',
    'rg --line-number',
    'Edit .github',
    'npm test',
    'One test fails',
    'Moved the release',
  ]
  const places = order.map((words) => page.indexOf(words))
  expect(places).toEqual(places.toSorted((a, b) => a - b))
  expect(places[0]).toBeGreaterThan(0)
  expect(page.match(/class="tool"/g)).toHaveLength(4)
})

test.for(nasty)('hostile text stays text: %j', (text) => {
  const line: TranscriptLine = { ...call('a', text), title: text, toolCallId: text } as TranscriptLine
  const thought: TranscriptLine = { at: at(0), sessionUpdate: 'agent_thought_chunk', content: { type: 'text', text } }
  for (const html of drawn(line, { ...answer('b', text, 'failed'), toolCallId: text } as TranscriptLine, thought)) {
    const tags = html.match(/<[^>]*>/g) ?? []
    expect(tags.filter((tag) => !/^<\/?(details|summary|span|b|pre|p)( [a-z-]+="[\w\s-]*")*>$/.test(tag))).toEqual([])
  }
})
