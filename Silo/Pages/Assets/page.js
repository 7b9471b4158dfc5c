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
  const focused = placeOf(document.activeElement)
  // What is counted later stays until it is counted again.
  for (const part of fresh.querySelectorAll('[data-load]')) {
    const old = document.querySelector(`main [data-part="${CSS.escape(part.dataset.part)}"]`)
    if (!old) continue
    old.dataset.load = part.dataset.load
    part.replaceWith(old)
  }
  for (const name of ['main', 'footer'])
    document.querySelector(name).replaceWith(document.adoptNode(fresh.querySelector(name)))
  document.querySelectorAll('main details').forEach((details, i) => { details.open = !!open[i] })
  localize(document)
  document.dispatchEvent(new Event('renewed'))
  if (!focused) return
  const again = document.querySelectorAll(focused.like)[focused.at] ?? document.querySelector('main')
  again.focus({ preventScroll: true })
}

// Where the focus is, to find it again: the same link or the same kind of element, of those that are alike.
const placeOf = element => {
  if (!document.querySelector('main').contains(element)) return null
  const address = element.getAttribute('href')
  const like = element.id ? `#${CSS.escape(element.id)}`
    : `main ${element.localName}` + (address ? `[href="${CSS.escape(address)}"]` : '')
  return { like, at: [...document.querySelectorAll(like)].indexOf(element) }
}

export const tell = text => { document.querySelector('#age').textContent = text }

// Nobody's selection is taken away, nor what somebody types.
export const isInUse = () => document.activeElement?.matches('main :is(input, textarea, select, button)')
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
forms.minute = { ...forms.day, ...forms.hour }
forms.moment = { ...forms.day, ...forms.time }

export const localize = part => {
  const numbers = new Intl.NumberFormat(region)
  const times = {}
  const shares = new Intl.NumberFormat(region, { style: 'percent', maximumFractionDigits: 1 })
  for (const number of part.querySelectorAll('data'))
    number.textContent = (number.dataset.as === 'share' ? shares : numbers).format(number.value)
  for (const time of part.querySelectorAll('time[data-as]')) {
    const form = time.dataset.as
    times[form] ??= new Intl.DateTimeFormat(region, { ...forms[form], timeZone: document.documentElement.dataset.zone })
    time.textContent = times[form].format(new Date(time.dateTime))
  }
}

// Keys, never with another held, for those are the browser's.
const isTyping = () => document.activeElement?.matches('input:not([type=checkbox]), textarea, select')
const move = step => {
  const rows = [...document.querySelectorAll('[data-rows] a, .list tbody a')]
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

// On a small screen it may lie beside it.
document.querySelector('.pages [aria-current]')?.scrollIntoView({ inline: 'center', block: 'nearest' })
setInterval(refreshIfDue, 1_000)
document.addEventListener('visibilitychange', refreshIfDue)
localize(document)
