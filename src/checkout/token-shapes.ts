/**
 * Tokens that are known by their look, as their makers document them: a prefix nobody else uses, and a body of a known length. Each
 * pattern begins where no letter or digit stands before and repeats one set of characters, so a text of any length is read once.
 */
const shapes: Record<string, string> = {
  'a GitHub token': String.raw`gh[pousr]_[\w.-]{20,520}|github_pat_\w{40,255}`,
  'a GitLab token': String.raw`gl(?:pat|dt|rt|cbt|ptt|ft|soat|oas|agent)-[\w.-]{20,300}`,
  'an access key of AWS': String.raw`(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?!\w)`,
  'a key of Anthropic': String.raw`sk-ant-[a-z]{2,10}\d{2}-[\w-]{40,255}`,
  'a key of OpenAI': String.raw`sk-(?:proj|svcacct|admin|None)-[\w-]{40,255}|sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}`,
  'a token of Slack': String.raw`xox[abceoprs]-[\w.-]{20,255}|xapp-\d-[\w-]{20,255}|hooks\.slack\.com/(?:services|workflows|triggers)/[\w/]{30,255}`,
  'a live key of Stripe': String.raw`[rs]k_live_[A-Za-z0-9]{20,255}`,
  'a token of npm': String.raw`npm_[A-Za-z0-9]{36}(?!\w)`,
  'a token of PyPI': String.raw`pypi-AgE[\w-]{50,500}`,
  'a key of Google': String.raw`AIza[\w-]{35}(?![\w-])|GOCSPX-[\w-]{28}(?![\w-])|ya29\.[\w-]{40,500}`,
  'a token of Hugging Face': String.raw`hf_[A-Za-z]{34}(?!\w)`,
  'a token of DigitalOcean': String.raw`do[opr]_v1_[a-f0-9]{64}`,
  'a key of SendGrid': String.raw`SG\.[\w-]{22}\.[\w-]{43}(?![\w-])`,
  'a token of Docker Hub': String.raw`dckr_[po]at_[\w-]{27,64}`,
  'a token of Linear': String.raw`lin_(?:api|oauth)_[A-Za-z0-9]{40,64}`,
  'a token of Vault': String.raw`hv[sb]\.[\w-]{24,300}`,
  'a token of Grafana': String.raw`glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}|glc_eyJ[\w+/=-]{40,400}`,
  'a token of Shopify': String.raw`shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}`,
  'a token of Atlassian': String.raw`ATATT3[\w=-]{100,300}`,
  'a token of this service': String.raw`ovn_[\w-]{43}(?![\w-])`,
  'a key of age': String.raw`AGE-SECRET-KEY-1[A-Z0-9]{58}`,
  // Not where a longer word goes on: a run of its characters is read from its beginning alone.
  'a signed token (JWT)': String.raw`(?<![\w-])eyJ[\w-]{12,4096}\.eyJ[\w-]{12,8192}\.[\w-]{20,1024}`,
}
const names = Object.keys(shapes)
const any = new RegExp(`(?<![A-Za-z0-9])(?:${names.map((name) => `(${shapes[name]})`).join('|')})`, 'g')

/** Then the bytes of the key follow, maybe after the lines of a head, and maybe as text within text. */
const privateKey = /-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----[\s\S]{0,300}?[A-Za-z0-9+/]{40}/g

/** The fewest different characters of a real one: `ghp_xxxxxxxxxxxxxxxxxxxx` stands for a token and is none. */
const leastVariety = 10

/** What looks like a token in a text of single bytes, and where. */
export function findTokens(text: string): { what: string; at: number }[] {
  const found = [...text.matchAll(privateKey)].map(({ index }) => ({ what: 'a private key', at: index }))
  for (const match of text.matchAll(any)) {
    if (isPlaceholder(match[0])) continue
    const index = match.findIndex((group, at) => at > 0 && group !== undefined)
    found.push({ what: names[index - 1]!, at: match.index })
  }
  return found
}

function isPlaceholder(token: string): boolean {
  return token.endsWith('EXAMPLE') || new Set(token).size < leastVariety
}
