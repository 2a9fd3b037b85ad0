// The page is whole without this: it adds news by EventSource, times in the reader's zone, and keys.
const root = document.documentElement
const byId = (id) => document.getElementById(id)
const all = (selector, within = document) => [...within.querySelectorAll(selector)]
const parse = (html) => new DOMParser().parseFromString(html, 'text/html')
root.dataset.scheme = localStorage.scheme ?? '' // before the first paint: that is why this is not deferred

function ago(at) {
  const minutes = Math.floor(Math.abs(at - Date.now()) / 60000)
  const units = [`${minutes} min`, `${Math.floor(minutes / 60)} h`, `${Math.floor(minutes / 1440)} days`]
  const span = units[(minutes >= 60) + (minutes >= 2880)]
  if (minutes < 1) return at > Date.now() ? 'in a moment' : 'just now'
  return at > Date.now() ? `in ${span}` : `${span} ago`
}
const date = (at) => (Math.abs(at - Date.now()) < 864e5 ? {} : { day: 'numeric', month: 'short' })
const clock = (at) => at.toLocaleString('en-GB', { ...date(at), hour: '2-digit', minute: '2-digit' })
function tellTimes() {
  for (const part of all('[data-clock]')) part.textContent = clock(new Date(part.parentNode.dateTime))
  for (const part of all('[data-ago]')) part.textContent = ago(new Date(part.parentNode.dateTime))
  byId('zone').textContent = Intl.DateTimeFormat().resolvedOptions().timeZone
}
let [pressed, held] = [false, []] // nothing changes while a finger is down
const calmly = (act) => (pressed ? held.push(act) : act())
const lift = () => ((pressed = false), held.splice(0).forEach(calmly))
const words = (part) => String(all('h1, h3, .state', part).map((one) => one.textContent)) // not the times: they move
function retell(part, was) {
  if (was.open !== undefined) part.open = was.open
  if (part.matches('.row, #head')) part.classList.toggle('fresh', was.words !== words(part))
}
// What the reader looks at stays where it is: the place, the focus, what is folded. What reads differently is marked.
function change(act) {
  const before = new Map(all('main [id]').map((part) => [part.id, { words: words(part), open: part.open }]))
  const anchor = all('main [id]').find((part) => part.getBoundingClientRect().bottom > 60) ?? root
  const top = anchor.getBoundingClientRect().top
  const focused = byId(document.activeElement.closest('main [id]')?.id)
  act()
  tellTimes()
  for (const part of all('main [id]')) retell(part, before.get(part.id) ?? {})
  if (focused && !focused.isConnected) byId(focused.id)?.querySelector('a, button')?.focus({ preventScroll: true })
  const moved = (byId(anchor.id) ?? anchor).getBoundingClientRect().top - top
  if (scrollY > 0) scrollBy({ top: moved, behavior: 'instant' })
}
const put = (part) => byId(part.id)?.replaceWith(part)
function append(template) {
  const into = byId(template.dataset.into)
  const end = into.getBoundingClientRect().bottom
  into.append(template.content)
  tellTimes()
  const grown = into.getBoundingClientRect().bottom - end
  const follow = end <= innerHeight + 40 && (scrollY > 0 || end + grown > innerHeight) // the reader is at the tail or past it
  if (follow) scrollBy({ top: grown, behavior: 'instant' })
}
let source
async function reload() {
  source?.close()
  try {
    const answer = await fetch(location.pathname)
    const fresh = parse(await answer.text())
    if (answer.status >= 500) throw new Error(fresh.title)
    if (!answer.ok) location.reload() // signed out, or gone: the page itself says so
    calmly(() => change(() => ['dateline', 'main'].forEach((id) => put(fresh.getElementById(id)))))
    document.title = fresh.title
    byId('news').textContent = ''
    listen(fresh.body.dataset.live)
  } catch {
    byId('news').textContent = navigator.onLine ? 'Reconnecting: no answer yet.' : 'Offline: this is what was known.'
    setTimeout(reload, 3000)
  }
}
function listen(url) {
  if (!url) return
  source = new EventSource(url)
  source.addEventListener('put', ({ data }) => calmly(() => change(() => [...parse(data).body.children].forEach(put))))
  source.addEventListener('append', ({ data }) => calmly(() => all('template', parse(data)).forEach(append)))
  source.addEventListener('reload', () => void reload())
  source.addEventListener('error', () => void reload()) // then a stream of its own: nothing twice, nothing missed
}
addEventListener('offline', () => source && void reload())
addEventListener('pointerdown', () => (pressed = true))
for (const name of ['pointerup', 'pointercancel']) addEventListener(name, () => setTimeout(lift, 300))
addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId('help').open) return
  const stops = all('.row :is(h1, h3) a, .coming button, .tabs a, .file summary')
  const step = { j: 1, k: -1 }[event.key]
  const button = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`)
  if (step) stops[Math.min(Math.max(stops.indexOf(document.activeElement) + step, 0), stops.length - 1)]?.focus()
  else if (event.key === '?') byId('help').showModal()
  else if (button && button === document.activeElement) button.click()
  else button?.focus() // a second press confirms
})
addEventListener('DOMContentLoaded', () => {
  tellTimes()
  setInterval(tellTimes, 30000)
  byId('tools').hidden = false
  byId('keys').addEventListener('click', () => byId('help').showModal())
  byId('scheme').addEventListener('click', () => {
    root.dataset.scheme = localStorage.scheme = { '': 'light', light: 'dark', dark: '' }[root.dataset.scheme]
  })
  listen(document.body.dataset.live)
})
