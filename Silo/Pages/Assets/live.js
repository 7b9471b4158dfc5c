// Events as they come: the newest on top, and as many rows as a page scrolls smoothly with.
import { localize } from './page.js'
import { follow } from './stream.js'

const rowsMax = 300
const beginMax = 120
const list = document.querySelector('.events')
const template = document.querySelector('main template')
const status = document.querySelector('.stream [role=status]')
const button = document.querySelector('.stream button')
const shown = new Set([...list.children].map(row => row.dataset.key)) // the stream may have them too
const numbers = new Intl.NumberFormat(document.documentElement.lang)

let waiting = []
let waitingEvents = 0
let isPaused = false
let isDrawing = false
let state = 'connecting'

const say = () => {
  const told = isPaused && state !== 'lost' ? 'paused' : state
  if (status.dataset.state === told) return
  status.dataset.state = told
  status.textContent = status.dataset[told]
}

const filled = (text, number) => text.replace('{0}', numbers.format(number))

const label = () => {
  const { pause, goOn, waiting } = button.dataset
  button.textContent = !isPaused ? pause : waitingEvents === 0 ? goOn : filled(waiting, waitingEvents)
}

// The properties as their client wrote them: a parsed number may lose digits. They are the last member, and no text
// before them can have these quotes.
const propertiesIn = data => {
  const start = data.indexOf('"properties":')
  return start < 0 ? null : data.slice(start + 13, -1)
}

const rowOf = ({ data }) => {
  const event = JSON.parse(data)
  const row = template.content.firstElementChild.cloneNode(true)
  const time = row.querySelector('time')
  time.dateTime = event.created
  time.dataset.as = 'time'
  const who = row.querySelector('.who')
  who.href = '/fingerprint?' + new URLSearchParams({ of: event.fingerprint })
  who.firstElementChild.textContent = event.fingerprint
  row.querySelector('.product').textContent = event.product
  const action = row.querySelector('.what')
  action.href = '/live?' + new URLSearchParams({ product: event.product, action: event.action })
  action.firstElementChild.textContent = event.action
  const properties = propertiesIn(data)
  if (properties === null) row.querySelector('details').remove()
  else {
    row.querySelector('summary bdi').textContent = properties.slice(0, beginMax)
    row.querySelector('pre bdi').textContent = properties
  }
  return row
}

const gapOf = ({ type, data }) => {
  const row = document.createElement('li')
  row.className = 'gap'
  row.textContent = filled(list.dataset[type], JSON.parse(data).events)
  return row
}

const draw = () => {
  isDrawing = false
  if (isPaused) return
  const rows = document.createDocumentFragment()
  for (const message of waiting.reverse()) rows.append(message.type === 'message' ? rowOf(message) : gapOf(message))
  waiting = []
  waitingEvents = 0
  localize(rows)
  list.prepend(rows)
  document.querySelector('.none').hidden = list.children.length > 0
  // Nobody's focus is taken away.
  for (let row = list.lastElementChild; list.children.length > rowsMax;) {
    const next = row.previousElementSibling
    if (!row.contains(document.activeElement)) row.remove()
    row = next
  }
}

const drawSoon = () => {
  if (isPaused || isDrawing) return
  isDrawing = true
  requestAnimationFrame(draw)
}

const take = message => {
  if (message.type === 'message') {
    if (!message.data) return
    const { id, fingerprint } = JSON.parse(message.data)
    if (shown.delete(`${id} ${fingerprint}`)) return
    waitingEvents++
  } else if (!list.dataset[message.type]) return
  if (message.type === 'reset') {
    state = 'live'
    say()
  }
  waiting.push(message)
  if (waiting.length > rowsMax) waiting.shift()
  if (isPaused) label()
  drawSoon()
}

const pause = wanted => {
  isPaused = wanted
  label()
  say()
  drawSoon()
}

button.addEventListener('click', () => pause(!isPaused))
// Nobody's unfolded properties run away.
list.addEventListener('toggle', toggled => { if (toggled.target.open) pause(true) }, true)
status.hidden = button.hidden = false

const { product, action } = list.dataset
const filter = new URLSearchParams(Object.entries({ product, action }).filter(([, value]) => value !== undefined))
follow(`/api/live/events?${filter}`, list.dataset.after, take, now => {
  state = now === 'live' && state === 'lost' ? 'back' : now
  say()
})
