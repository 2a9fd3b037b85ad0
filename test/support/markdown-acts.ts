/** What GitHub acts on: https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue */
const acts = {
  mention: /(^|[^\w`])@[a-z\d]/i,
  reference: /#\d/,
  shortReference: /\bGH-\d/i,
  issueUrl: /\/(issues|pull|discussions)\/\d/,
  image: /!\[/,
  html: /<[a-z/!?]/i,
  entity: /&(#|\w)/,
  command: /^\s*\/\w/m,
  hidden: /[\u202A-\u202E\u2060-\u2069\u{E0000}-\u{E007F}\uFEFF]/u,
}

/** What of it a text would make GitHub do. */
export const actsIn = (text: string): string[] =>
  Object.entries(acts).flatMap(([name, pattern]) => (pattern.test(text) ? [name] : []))
