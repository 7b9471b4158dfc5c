// Brings the page up to date: each 30 s while the tab is seen, and when it is seen again. The server makes the page
// anew; a document that XMLHttpRequest reads runs no script and needs no trusted markup.
const every = 30_000
let asked = Date.now()
let isAsking = false

export const load = address => new Promise(done => {
  const request = new XMLHttpRequest()
  request.open('GET', address)
  request.setRequestHeader('Accept', 'text/html')
  request.responseType = 'document'
  request.onload = () => done(request.response)
  request.onerror = () => done(null)
  request.send()
})

export const refresh = async () => {
  if (isAsking) return
  isAsking = true
  asked = Date.now()
  const fresh = await load(location.href)
  isAsking = false
  if (!fresh?.querySelector('main')) return tell(document.body.dataset.noAnswer)
  if (!fresh.querySelector('footer')) return location.reload() // the session has ended
  const open = [...document.querySelectorAll('main details')].map(details => details.open)
  for (const name of ['main', 'footer'])
    document.querySelector(name).replaceWith(document.adoptNode(fresh.querySelector(name)))
  document.querySelectorAll('main details').forEach((details, i) => { details.open = !!open[i] })
  localize(document)
}

export const tell = text => { document.querySelector('#age').textContent = text }

// Nobody's focus or selection is taken away.
export const isInUse = () => document.querySelector('main').contains(document.activeElement)
  || !document.getSelection().isCollapsed

const refreshIfDue = () => {
  if (!document.querySelector('main[data-renews]')) return
  if (!document.hidden && !isInUse() && Date.now() - asked >= every) refresh()
}

// Numbers and times in the forms of the reader's region, where it has the page's language.
const language = document.documentElement.lang
const region = navigator.languages.find(one => one.split('-')[0] === language) ?? language
const forms = {
  day: { day: 'numeric', month: 'short', year: 'numeric' },
  hour: { hour: '2-digit', minute: '2-digit' },
  time: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
}
forms.moment = { ...forms.day, ...forms.time }

export const localize = part => {
  const numbers = new Intl.NumberFormat(region)
  const times = {}
  for (const number of part.querySelectorAll('data')) number.textContent = numbers.format(number.value)
  for (const time of part.querySelectorAll('time[data-as]')) {
    const form = time.dataset.as
    times[form] ??= new Intl.DateTimeFormat(region, { ...forms[form], timeZone: document.documentElement.dataset.zone })
    time.textContent = times[form].format(new Date(time.dateTime))
  }
}

// Keys, never with another held, for those are the browser's.
const isTyping = () => document.activeElement?.matches('input:not([type=checkbox]), textarea, select')
const move = step => {
  const rows = [...document.querySelectorAll('[data-rows] a, .list a')]
  const next = rows.indexOf(document.activeElement) + step
  rows[Math.max(0, Math.min(next, rows.length - 1))]?.focus()
}
const keys = {
  '/': () => document.querySelector('input[type=search]')?.focus(),
  'j': () => move(1),
  'k': () => move(-1),
  '?': () => document.querySelector('#keys').showModal(),
}
document.addEventListener('keydown', pressed => {
  if (pressed.ctrlKey || pressed.altKey || pressed.metaKey || isTyping() || document.querySelector('dialog[open]')) return
  if (!keys[pressed.key]) return
  pressed.preventDefault()
  keys[pressed.key]()
})

setInterval(refreshIfDue, 1_000)
document.addEventListener('visibilitychange', refreshIfDue)
localize(document)
